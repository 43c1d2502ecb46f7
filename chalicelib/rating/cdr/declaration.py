"""What a reseller declares about its CDR files (a *CDR source*), in the form in which the reader uses it.

``docs/cdr-formats.md`` says what each part does. The parts are stored, and pinned by a batch, as the JSON of the API.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib import money
from chalicelib.rating.cdr import spans
from chalicelib.rating.cdr.mapping import TIME, ColumnMapping

HEADERS = ("auto", "present", "absent")
ACCOUNT_RULES = ("column", "channel", "caller")
"""Where the user name of a sub-account is looked for: the column of the account, the name within the calling channel,
the caller's number or extension."""


@dataclass(frozen=True)
class Side:
    """The dialplan contexts, and the channels, of calls that come from one side: from inside, or from a trunk."""

    contexts: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.contexts or self.channels)


@dataclass(frozen=True)
class Skip:
    """Rows that are no calls: by dialplan context, by the last application, by the text dialled."""

    contexts: frozenset[str] = frozenset()
    applications: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.contexts or self.applications or self.numbers)


@dataclass(frozen=True)
class Declaration:
    """One CDR source without its name and pattern; every part has the value of a source that does not declare it.

    ``date_format``: ``auto``, ``epoch_s``, ``epoch_ms``, or a pattern of CLDR letters. ``time_zone``: None for the
    reseller's. ``account``: some of ``ACCOUNT_RULES`` in the order in which they are tried, None for those of the
    format. ``inside`` and ``trunks`` say where a call comes from. ``strip``: dial prefixes taken off called numbers, if
    ``strip_always`` also where both readings are numbers. ``local_numbers``: digits of a number -> the text put before
    it. ``cost_currency`` and ``fx``: the currency of the costs, and the text of its rate and of the rate's day.
    """

    header: str = "auto"
    skip_lines: int = 0
    mapping: ColumnMapping = field(default_factory=ColumnMapping)
    date_format: str = "auto"
    time_zone: str | None = None
    account: tuple[str, ...] | None = None
    inside: Side = field(default_factory=Side)
    trunks: Side = field(default_factory=Side)
    strip: tuple[str, ...] = ()
    strip_always: bool = False
    local_numbers: tuple[tuple[int, str], ...] = ()
    cost_currency: str | None = None
    fx: tuple[str, str] | None = None
    skip: Skip = field(default_factory=Skip)

    @property
    def has_owners(self) -> bool:
        """Whether it declares rules about the owners of rows."""
        return bool(self.account or self.inside or self.trunks)

    @property
    def seconds_format(self) -> str:
        """How two numbers with a colon are read as seconds, in files of every format: see ``spans``."""
        return self.mapping.seconds_format

    @property
    def fx_e10(self) -> int:
        """Units of 1e-10 of the deployment's currency for one unit of the costs'; 0: costs are in that currency."""
        return money.parse_decimal(self.fx[0], money.RATE_PLACES) if self.fx else 0


NOTHING = Declaration()


def read(stored: Mapping[str, Any] | None) -> Declaration:
    """The JSON of a source, as ``shapes.sources.CdrSource`` dumps it, or None for no source -> the declaration."""
    if not stored:
        return NOTHING
    given = {name: value for name, value in stored.items() if value is not None}
    direction, account = given.get("direction", {}), given.get("account")
    return Declaration(
        header=given.get("header", "auto"),
        skip_lines=given.get("skip_lines", 0),
        mapping=ColumnMapping(
            _columns(given.get("columns", {})),
            given.get("words", {}),
            given.get("defaults", {}),
            bool(account or direction),
            given.get("seconds_format", spans.AUTO),
        ),
        date_format=given.get("date_format", "auto"),
        time_zone=given.get("time_zone"),
        account=tuple(account) if account else None,
        inside=Side(**_sets(direction.get("inside"))),
        trunks=Side(**_sets(direction.get("trunks"))),
        strip=tuple(given.get("strip", ())),
        strip_always=given.get("strip_always", False),
        local_numbers=tuple((rule["digits"], rule["prefix"]) for rule in given.get("local_numbers", ())),
        cost_currency=given.get("cost_currency"),
        fx=(given["fx"]["rate"], given["fx"]["date"]) if "fx" in given else None,
        skip=Skip(**_sets(given.get("skip"))),
    )


def _columns(declared: Mapping[str, Any]) -> Mapping[str, str | int]:
    """The declared columns; a ``start`` in two of them is the date and, as ``time``, the time."""
    start = declared.get("start")
    return {**declared, "start": start[0], TIME: start[1]} if isinstance(start, list) else declared


def _sets(part: Mapping[str, list[str]] | None) -> dict[str, frozenset[str]]:
    return {name: frozenset(values) for name, values in (part or {}).items()}
