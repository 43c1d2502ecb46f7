"""Forfait: the back office of a telephone reseller.

The rooms. Each may import those below it, never those above:

- ``reports``   reports, and the closing of months
- ``payments``  money that comes in from PayPal
- ``notices``   e-mails and webhooks
- ``rating``    what a call costs: CDR files, decks, prices, batches
- ``accounts``  resellers, clients, what they hold, and their ledgers
- ``calls``     rated calls at rest: their files, the index, search
- ``web``       routes, problems, cursors, OpenAPI
- ``outbox``    events to send, written in the transaction that caused them
- ``aws``       clients, the table and its one transaction, queues, objects, secrets
- ``principals``, ``client_month``, ``money``, ``periods``, ``dated``, ``numbers``, ``fields``, ``config``, ``errors``
  shared values
- ``apart``     loops in which an error of one owner does not stop the others
- ``framework`` the names of Chalice that we use

Inside a room: ``handlers -> service -> store | gateway -> pure files``.

This is the one module that every Lambda function imports (event functions never import ``app.py``),
so the log level is set here.
"""

import logging

logging.getLogger("chalicelib").setLevel(logging.INFO)
