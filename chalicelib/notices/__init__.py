"""Telling people and their programs what happened: e-mails and signed webhooks.

``events`` takes what the outbox holds, every minute; ``service.fanout`` decides who is told, ``service.sending`` tells
them, again and again for a day if need be. ``mail`` and ``hooks`` are the gateways to the outside world.
"""
