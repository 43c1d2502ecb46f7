"""A stand-in for PayPal on loopback: a page to pay at, messages as PayPal sends them, and its answers to ours.

- ``books``     payments and orders that were made here, and the messages about them
- ``messages``  IPN messages, field by field
- ``sender``    delivery: repeats, delays, and tries after an answer that is not 200
- ``rest``      orders, captures, webhooks and their signatures
- ``pages``     what a browser sees
- ``server``    all of it behind one port, and the switches that tests and people turn

Only the stage ``local`` can be pointed at it. Nothing here knows the product but by HTTP.
"""
