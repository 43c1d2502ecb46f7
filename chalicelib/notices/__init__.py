"""Notices of events to people and programs: e-mails and signed webhooks.

``events`` runs every minute: ``service.fanout`` turns each item of the outbox into one delivery per receiver,
``service.sending`` sends the deliveries that are due and repeats failed ones for a day. ``mail`` and ``hooks`` are the
gateways to the outside.
"""
