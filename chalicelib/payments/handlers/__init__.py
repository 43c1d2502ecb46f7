"""This room's routes (``api``), the doors that PayPal comes through (``doors``), and the pay page (``pages``)."""

from __future__ import annotations

from chalicelib.payments.handlers import api, doors, pages

BLUEPRINTS = (api.bp, doors.bp, pages.bp)
