"""The worked examples of sources in docs/cdr-formats.md: declared as they are written, they read their file so."""

from __future__ import annotations

import json
import re

import pytest
from documents import DOCS
from markdown_tables import tables

from chalicelib import periods
from chalicelib.dialling import DialPlan
from chalicelib.rating.batches import sources
from chalicelib.rating.cdr import formats
from chalicelib.rating.cdr.call import Call
from chalicelib.rating.cdr.records import Chunk, chunks
from chalicelib.rating.shapes.sources import CdrSource

DOCUMENT = (DOCS / "cdr-formats.md").read_text(encoding="utf-8")
EXAMPLES = ("Is there a header?", "Titles before the header", "Columns by place", "Date and time in two columns")


def block(heading: str, language: str) -> str:
    section = DOCUMENT.split(f"\n### {heading}\n", 1)[1].split("\n#", 1)[0]
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    return str(found)


def read(text: str, declares: dict[str, object]) -> list[dict[str, str]]:
    """All lines of a file as the table shows them; a refused one as its reason."""
    source = sources.reading(DialPlan("US"), "UTC", declares)
    rows = []
    for layout, chunk in formats.laid_out(chunks([text.encode()]), source):
        assert isinstance(chunk, Chunk)
        for call in formats.parse(chunk, layout, source):
            if not isinstance(call, Call):
                rows.append({"line": str(call.line), "refused": getattr(call, "reason", "")})
                continue
            fields = (call.line, periods.format_instant(call.start), call.from_number, call.to_number, call.account)
            names = ("line", "start", "from", "to", "account", "seconds")
            rows.append(dict(zip(names, map(str, (*fields, call.seconds)), strict=True)))
    return rows


@pytest.mark.parametrize("heading", EXAMPLES)
def test_a_documented_source_reads_its_file_as_the_table_says(heading: str) -> None:
    declares = CdrSource.model_validate(json.loads(block(heading, "json"))).stored()["declares"]
    assert read(block(heading, "text"), declares) == tables(DOCUMENT)[heading]


@pytest.mark.parametrize(("heading", "part"), [(EXAMPLES[0], "header"), (EXAMPLES[1], "skip_lines")])
def test_the_declared_part_is_needed(heading: str, part: str) -> None:
    declares = CdrSource.model_validate(json.loads(block(heading, "json"))).stored()["declares"]
    del declares[part]
    assert any("refused" in row for row in read(block(heading, "text"), declares))
