"""Tables of a document: documents are the input of tests."""

from __future__ import annotations

Row = dict[str, str]


def tables(text: str) -> dict[str, list[Row]]:
    """Markdown -> the rows of the table under each ``###`` heading, cells by column name."""
    found: dict[str, list[Row]] = {}
    heading, columns = "", []
    for line in text.splitlines():
        if line.startswith("#"):
            heading, columns = line.lstrip("# "), []
        elif line.startswith("|"):
            cells = [cell.strip() for cell in line.strip()[1:-1].split("|")]
            if not columns:
                columns = cells
            elif set(line) - set("|- "):
                assert len(cells) == len(columns), line
                found.setdefault(heading, []).append(dict(zip(columns, cells, strict=True)))
    return found
