"""This room's routes, one blueprint per noun."""

from __future__ import annotations

from chalicelib.rating.handlers import authorizations, files, previews, prices

BLUEPRINTS = (files.bp, prices.bp, authorizations.bp, previews.bp)
