"""The HTTP edge: routes, problems and cursors. The declaration of a route validates requests and documents them.

The handlers of a room declare routes. This package reads the request, checks key and role, answers a repeated
Idempotency-Key from the stored answer, calls the handler once, and renders. It contains no business rules.
"""
