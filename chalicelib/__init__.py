"""Forfait: the back office of a telephone reseller.

The rooms, from the door to the cellar; a room may use those below it, never those above:

- ``reports``   what we tell reseller and client
- ``payments``  money that comes in from PayPal
- ``notices``   what people and programs are told, by e-mail and webhook
- ``rating``    what a call costs: CDR files, decks, custom rates, pricing, the store of rated calls
- ``accounts``  who has money, what they hold, where the money moved
- ``web``       routes, problems, cursors, OpenAPI
- ``outbox``    what is to be told, put down with what caused it
- ``tables``    the one transaction, over the ``items`` of the one DynamoDB table
- ``aws``       clients of AWS's services
- ``money``, ``periods``, ``numbers``, ``fields``, ``config``, ``errors``   values everybody shares

Inside a room: ``handlers -> service -> store -> pure files``.

This is the one module that every Lambda function imports (event functions never import ``app.py``),
so the log level is set here.
"""

import logging

logging.getLogger("chalicelib").setLevel(logging.INFO)
