"""The vector engine: the same ``rate`` as the reference engine, but a chunk at a time instead of a line at a time.

- ``lines``     the bytes of a chunk -> lines and fields; ``quoting`` finds the delimiters that are text
- ``layouts``   the columns of every format -> the columns of Forfait's own CSV
- ``words``     fields -> columns of numbers
- ``fields``    rows -> codes, numbers, seconds; ``dates`` reads their starts; ``texts`` makes the texts that are stored
- ``match``     a number -> deck line, country and custom prefix, with one search for all numbers of a chunk
- ``owners``    accounts and DIDs -> who held them when a call started
- ``prices``    the amounts of a chunk, in integers
- ``compiled``  a rate book in the form that these modules need
- ``engine``    ``rate``: plain lines here, all other lines of the chunk through the reference engine

A line is *plain* when every field has one of the usual spellings. Other lines (a misplaced quote, a needed field with
bytes beyond ASCII, a rare spelling) go through the reference engine. So this package refuses no line, and does not
decide how a doubtful field is read. Tests compare both engines row by row.
"""
