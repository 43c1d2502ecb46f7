"""What a call costs.

- ``records``, ``formats``, ``segments``   bytes to calls, and rated calls to bytes
- ``decks``, ``terms``, ``directory``      what a number costs, what a package asks, who pays
- ``pricing``                              the price of one call
- ``engine``                               ``rate(chunk, tables)``: the readable reference
- ``usage``                                what one batch changes for one client and month
- ``store``                                batches, decks, segments: DynamoDB and S3
- ``service``                              the room's only door
- ``handlers``, ``events``                 routes, and the functions that S3 and the clock call
"""
