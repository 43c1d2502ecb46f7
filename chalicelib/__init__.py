"""Forfait: the back office of a telephone reseller.

The rooms, from top to bottom; a room may use those below it, never those above:

- ``reports``   what we tell reseller and client
- ``payments``  deposits by PayPal
- ``notices``   notices to people and programs, by e-mail and webhook
- ``rating``    what a call costs: CDR files, decks, custom rates, pricing, the store of rated calls
- ``accounts``  who has money, what they hold, where the money moved
- ``web``       routes, problems, cursors, OpenAPI
- ``outbox``    events that wait for their notices, written with what caused them
- ``tables``    the one transaction, over the ``items`` of the one DynamoDB table
- ``aws``       clients of AWS's services
- ``money``, ``periods``, ``numbers``, ``fields``, ``config``, ``errors``   values everybody shares

Inside a room: ``handlers -> service -> store | gateway -> pure files``.

This is the one module that every Lambda function imports (event functions never import ``app.py``),
so the log level is set here.
"""

import logging

logging.getLogger("chalicelib").setLevel(logging.INFO)
