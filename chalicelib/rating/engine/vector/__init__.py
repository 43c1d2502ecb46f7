"""The vectorised engine: the reference's ``rate``, a chunk at a time instead of a line at a time.

- ``lines``   bytes of a chunk to lines and fields; ``quotes`` tells which delimiters are text
- ``rows``    every format's columns as those of Forfait's own CSV
- ``split``   fields to columns of numbers
- ``fields``  what a row says, in numbers; ``texts`` what a segment keeps of it
- ``match``   number to deck line, country and custom rate: one search for all of a chunk's numbers
- ``prices``  the amounts of a chunk, in integers
- ``engine``  ``rate``: what can be vectorised, and all other lines together through the reference

Whatever is not plain (a misplaced quote, a field beyond ASCII that is needed, anything but the usual spellings) goes
through the reference engine. So this package never decides what the reference would refuse or how it would read a
doubtful field; it only has to be right about the plain ones, and tests compare row for row.
"""
