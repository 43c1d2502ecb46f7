"""Who has money, what they have bought, and every movement of money.

- ``rules``     pure: what an entry changes of a balance, a month and the service
- ``store``     the items of resellers, keys, clients, packages, sub-accounts, DIDs, entries and months
- ``ledger``    posting of entries, usage of batches, months, history
- ``service``   resellers, clients, packages and so on: one module per noun
- ``shapes``    requests and answers
- ``handlers``  routes

Words: an *owner* has a ledger: a client, or a reseller for what it owes the operator. *Terms* are all dated facts that
price a call: package versions, custom rates, which client has a sub-account or DID. Each change of terms gets the
reseller's next *terms version*, and a batch is rated by the version that was the newest when it began.
"""
