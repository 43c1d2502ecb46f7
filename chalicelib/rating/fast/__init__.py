"""The vectorised engine: the reference's ``rate``, a chunk at a time instead of a line at a time.

- ``split``   bytes of a chunk to fields, and fields to columns of numbers
- ``match``   number to deck line, country and custom rate: one search for all of a chunk's numbers
- ``prices``  the amounts of a chunk, in integers
- ``engine``  ``rate``: what can be vectorised, and every other line through the reference

Whatever is not plain (a quote or a byte beyond ASCII in the chunk; in a line anything but the usual spellings) goes
through the reference engine, chunk or line. So this package never decides what the reference would refuse or how it
would read a doubtful field; it only has to be right about the plain ones, and tests compare row for row.
"""
