"""``docs/imports.md`` names every column of the files of an import, and none that is not."""

from __future__ import annotations

import re
from pathlib import Path

TEXT = (Path(__file__).parents[2] / "docs" / "imports.md").read_text()


def test_the_columns_are_those_of_the_code() -> None:
    from chalicelib.accounts.handlers.imports import MOST_BYTES
    from chalicelib.accounts.service.import_plans import MOST_LINES
    from chalicelib.accounts.service.imports import ROWS_AT_ONCE
    from chalicelib.accounts.shapes.imports import FILES

    told: dict[str, set[str]] = {}
    required: set[tuple[str, str]] = set()
    for name, cell, what in re.findall(r"^\| (\w+) \| (`[^|]+) \| ([^|]+) \|$", TEXT, re.MULTILINE):
        columns = set(re.findall(r"`(\w+)`", cell))
        told[name] = told.get(name, set()) | columns
        required |= {(name, column) for column in columns if what.startswith("required")}
    assert told == {name: set(shape.model_fields) for name, shape in FILES.items()}
    fields = [(name, *field) for name, shape in FILES.items() for field in shape.model_fields.items()]
    assert required == {(name, column) for name, column, field in fields if field.is_required()}
    assert f"at most {MOST_LINES:,} lines in all and {MOST_BYTES >> 20} MB" in TEXT
    assert f"| {ROWS_AT_ONCE} or fewer | 200" in TEXT
    assert f"| {ROWS_AT_ONCE + 1} to {MOST_LINES:,} | 202" in TEXT
