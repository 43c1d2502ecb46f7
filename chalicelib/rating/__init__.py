"""What a call costs.

- ``cdr``             the bytes of a CDR file -> calls, or refused lines with a reason
- ``decks``           rate decks: compiled, stored, published
- ``pricing``         the price of one call; dated terms, owners, the rate book of a batch; quotes and price lists
- ``engine``          chunks of calls -> rated lines: the reference, and the vector engine that is held to it
- ``authorizations``  may a call start; money held until its record is rated
- ``batches``         one CDR file on its way into the ledgers: read, write, commit; rated again; compaction
- ``nightly``         recover, reconcile, sweep
- ``handlers``, ``shapes``, ``events``   routes, requests and answers, functions called by S3 and schedules
"""
