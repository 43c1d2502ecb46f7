"""Who has money, what they hold, and where the money moved.

- ``ledger``    pure: what an entry does to a balance, a month and the service
- ``store``     the items of resellers, keys, clients, packages, sub-accounts, DIDs, entries and months
- ``service``   the only door for other rooms
- ``shapes``    requests and answers
- ``handlers``  routes

Words: an *owner* is whoever has a ledger (a client; or a reseller, for what it owes the operator). *Terms* are all
dated facts that price a call: package versions, custom rates, who holds a sub-account or DID. Each change of terms
gets the reseller's next *terms version*, and a batch is rated by the version it started with.
"""
