"""The edge of HTTP: routes declared once (they validate, and they are the OpenAPI document), problems, cursors.

A room's handlers declare routes; this package reads the request, checks the key and the role, replays an
Idempotency-Key, makes one call and renders. It knows no business.
"""
