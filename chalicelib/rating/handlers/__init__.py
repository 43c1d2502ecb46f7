"""This room's routes, one blueprint per noun."""

from __future__ import annotations

from chalicelib.rating.handlers import authorizations, deck_formats, deck_life, files, previews, prices

BLUEPRINTS = (files.bp, prices.bp, deck_life.bp, deck_formats.bp, authorizations.bp, previews.bp)
