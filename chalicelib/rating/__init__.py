"""What a call costs.

- ``records``, ``formats``, ``segments``   bytes to calls, and rated calls to bytes
- ``decks``, ``terms``, ``directory``      what a number costs, what a package asks, who pays
- ``pricing``                              the price of one call
- ``tariffs``                              from a number called to the terms of the call
- ``tables``, ``columns``                  all that prices a batch, and what rated lines look like
- ``engine``                               ``rate(chunk, ...) -> Columns``: the readable reference
- ``fast``                                 the same, a chunk at a time
- ``spill``                                rated lines set aside by client and day, in bounded memory
- ``usage``                                what one batch changes for one client and day
- ``store``                                batches, decks, segments: DynamoDB and S3
- ``service``                              the room's only door
- ``handlers``, ``events``                 routes, and the functions that S3 and the clock call
"""
