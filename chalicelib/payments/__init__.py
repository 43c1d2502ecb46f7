"""Payments by PayPal: deposits of clients, PayPal's messages about them, and the page to pay at.

PayPal reports a payment on two channels: messages of the classic button (``ipn``) and webhooks of a REST app
(``webhooks``). Both become a ``Notice``, ``decide`` says what it does, and ``service.apply`` writes that once.
``docs/paypal.md`` has the table of outcomes, which the tests read.
"""
