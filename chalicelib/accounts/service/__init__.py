"""The room's only door: what other rooms, and the routes, may ask of accounts.

``posting`` moves money, ``terms`` keeps the dated facts that price calls, and the other modules keep one noun each.
"""
