"""This room's routes (``api``) and the doors that PayPal and payers come through (``doors``)."""

from __future__ import annotations

from chalicelib.payments.handlers import api, doors

BLUEPRINTS = (api.bp, doors.bp)
