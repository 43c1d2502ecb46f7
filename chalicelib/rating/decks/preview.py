"""Previews of deck files: how one would be read, what is suspicious, what it changes; nothing is stored."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from chalicelib.aws import objects
from chalicelib.config import settings
from chalicelib.errors import Invalid, NotFound, Refused
from chalicelib.numbers import country_of
from chalicelib.rating.decks import declared, holding, publish, reading
from chalicelib.rating.decks.formats import DeckFormat

ITEMS = 20
_DATED = re.compile(r"[^/]*\d{4}-\d\d-\d\d")
_NOT_ID = re.compile(r"[^a-z0-9]+")


def blocks_of(key: str) -> Iterable[bytes]:
    """The bytes of an uploaded deck; ``NotFound``."""
    if objects.look(key, "") is None:
        raise NotFound("There is no such object.")
    return objects.blocks(key, "")


def preview(
    now: int, blocks: Iterable[bytes], path: str, route: str, day: str, given: Mapping[str, Any] | None
) -> dict[str, Any]:
    """A file as a deck for a route and first day; ``path``: its key below ``incoming/decks/``.

    ``given``: the fields of a ``DeckFormat`` to read it by, instead of the declared one. ``Invalid``: it is cut short.
    """
    chosen = ("", DeckFormat(**given)) if given else declared.chosen_for(path)
    try:
        found = reading.read_file(blocks, path, day, chosen[1] if chosen else None, assume=True)
    except Refused as problem:
        raise Invalid.field("text", problem.detail) from None
    read, guess = found.read, found.guess
    bad = [*read.bad, *publish.too_many(read.lines)]
    seen = holding.look(route, day, read.lines, now) if read.lines else holding.Findings([], None, None)
    suspicions = [*seen.suspicions]
    if read.currency and read.currency != settings.currency:
        suspicions.append({"code": holding.NO_FX, "message": f"The costs are in {read.currency}: declare fx."})
    return {
        "read_by": found.how,
        "format_id": (chosen[0] or None) if chosen else None,
        "format": _format(path, guess.form) if guess else _format(path, asdict(chosen[1])) if chosen else None,
        "questions": [each._asdict() for each in guess.questions] if guess else [],
        "lines": read.rows,
        "prefixes": len(read.lines),
        "countries": len({country_of(line.prefix) for line in read.lines} - {None}),
        "duplicates": read.duplicates,
        "superseded": read.superseded,
        "ended": read.ended,
        "blocked": read.blocked,
        "later": read.later,
        "currency": read.currency or None,
        "extra_columns": read.extra,
        "wrong": len(bad),
        "errors": [each._asdict() for each in bad[: publish.SHOWN_ERRORS]],
        "suspicions": suspicions,
        "difference": {"to": seen.compared_to, **holding.shown(seen.difference)} if seen.difference else None,
        "items": read.lines[:ITEMS],
    }


def _format(path: str, form: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a PUT for files that are named like this one, with any day at the beginning of their name."""
    route, _, name = path.rpartition("/")
    rest = _DATED.sub("", name, count=1)
    stem = _NOT_ID.sub("-", rest.partition(".")[0].lower()).strip("-")
    pattern = f"{route}/*{rest}" if stem else f"{route}/"
    return {"id": stem or route or "deck", "pattern": pattern.lstrip("/") or "*", **form}
