"""Money that comes in from PayPal: what a client wants to pay, what PayPal says about it, and the page to pay at.

Two channels say the same thing in two ways: the classic button's messages (``ipn``) and the webhooks of a REST app
(``webhooks``). Both become a ``Notice``; ``decide`` says what it does; ``service.apply`` writes that once.
``docs/paypal.md`` has the table of outcomes that the tests read.
"""
