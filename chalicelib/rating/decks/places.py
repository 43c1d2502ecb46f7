"""Which place of a row each column of a deck format has in a file."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.rating.decks.formats import DeckFormat
from chalicelib.rating.decks.parse import BadLine


def places_of(
    form: DeckFormat, first: tuple[int, Sequence[str]], titles: Sequence[str] | None, bad: list[BadLine]
) -> dict[str, int]:
    """Our column -> its place in a row, from 0 on; appends an error for each that the file does not have."""
    line, fields = first
    known = [title.lower() for title in titles or ()]
    places: dict[str, int] = {}
    for column, named in form.columns.items():
        if isinstance(named, int):
            if named > len(fields):
                bad.append(
                    BadLine(line, column, f"is column {named}, and the first row has {len(fields)}", "no_column")
                )
            places[column] = named - 1
        elif (times := known.count(named.strip().lower())) == 1:
            places[column] = known.index(named.strip().lower())
        else:
            what = "stands twice in the header" if times else "is not in the header"
            remedy = "name its position instead" if times else f"the header has {', '.join(known)[:300] or 'no titles'}"
            bad.append(BadLine(line, column, f"is the column {named}, which {what}; {remedy}", "no_column", named))
    return places
