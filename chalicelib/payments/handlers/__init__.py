"""The routes of payments: the API (``api``), what PayPal's servers call (``paypal_callbacks``), and the pay page."""

from __future__ import annotations

from chalicelib.payments.handlers import api, pages, paypal_callbacks

BLUEPRINTS = (api.bp, paypal_callbacks.bp, pages.bp)
