"""Deck formats, and previews of deck files."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from chalicelib.fields import AmountOut, Day, Id, Printable, RateOut, Shape
from chalicelib.rating.decks.cells import check_date_pattern, seconds_reader
from chalicelib.rating.shapes.deck_life import DeckDiff, DeckError, Suspicion
from chalicelib.rating.shapes.previews import bytes_of
from chalicelib.rating.shapes.sources import Pattern

MAX_PREVIEW_BYTES = 4 << 20
"""Of the text of a preview. 200,000 lines have 2 MB as base64 of gzip."""


def _increments(value: str) -> str:
    if value:
        for part in (0, 1):
            seconds_reader(value)(part)("")
    return value


Column = (
    Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), Printable]
    | Annotated[int, Field(ge=1, le=1000)]
)
"""A column of the file: its title, or its position from 1 on."""


class DeckColumns(Shape):
    """Forfait's name of a column -> the title in the file, or the position from 1 on."""

    prefix: Column | None = None
    country_code: Column | None = None
    area_codes: Column | None = None
    destination: Column | None = None
    rate_per_minute: Column
    increments: Column | None = None
    initial: Column | None = None
    increment: Column | None = None
    connect_fee: Column | None = None
    match: Column | None = None
    home: Column | None = None
    effective_from: Column | None = None
    effective_to: Annotated[Column | None, Field(description="the last day on which a price counts")] = None
    status: Annotated[Column | None, Field(description="whether the line is offered: Active, Blocked")] = None

    @model_validator(mode="after")
    def _names_prefixes_once(self) -> Self:
        if (self.prefix is None) == (self.country_code is None):
            raise ValueError("name prefix, or country_code and area_codes")
        if (self.country_code is None) != (self.area_codes is None):
            raise ValueError("country_code and area_codes belong together")
        if self.increments is not None and (self.initial is not None or self.increment is not None):
            raise ValueError("name increments, or initial and increment")
        if (self.initial is None) != (self.increment is None):
            raise ValueError("initial and increment belong together")
        return self


class DeckFormat(Shape):
    """How the decks of a carrier are read, and which: those whose path below `incoming/decks/` fits ``pattern``."""

    id: Id
    pattern: Annotated[Pattern, Field(examples=["*-acme.xlsx", "premium/"])]
    columns: Annotated[DeckColumns, Field(examples=[{"prefix": 1, "rate_per_minute": "Rate", "increments": 3}])]
    header: Literal["auto", "present", "absent"] = "auto"
    skip_lines: Annotated[int, Field(ge=0, le=1000, description="physical lines before the header")] = 0
    delimiter: Annotated[
        Literal["", ",", ";", "\t"], Field(description="empty: the one that the first line has most")
    ] = ""
    decimal: Literal[".", ","] = "."
    price_per: Literal["minute", "second", "hour"] = "minute"
    price_unit: Annotated[
        Literal[1, 10, 100, 1000, 10_000, 100_000], Field(description="10000: a price of 52 is 0.0052")
    ] = 1
    increments: Annotated[
        str,
        AfterValidator(_increments),
        Field(max_length=20, description="for files without such a column, and blank cells", examples=["60/60"]),
    ] = ""
    dash: Annotated[
        Literal["range", "join"], Field(description="what a dash in a prefix is: `44-46` a range, or 4446")
    ] = "range"
    blank: Annotated[
        Literal["", "join", "list"], Field(description="what `44 20` is: one prefix, a list, or (empty) an error")
    ] = ""
    prefix_cut: Annotated[
        str, Field(pattern=r"^[0-9]{0,5}$", description="every prefix begins with it; it is taken off", examples=["00"])
    ] = ""
    prefix_add: Annotated[
        str, Field(pattern=r"^[0-9]{0,5}$", description="put before every prefix", examples=["1"])
    ] = ""
    date_format: Annotated[
        str, AfterValidator(check_date_pattern), Field(max_length=40, description="letters y, M and d")
    ] = "y-M-d"

    blocked: Annotated[
        Literal["refuse", "leave_out", "price"],
        Field(description="lines that are not offered by the column `status` are errors, left out, or priced"),
    ] = "refuse"

    @model_validator(mode="after")
    def _has_increments(self) -> Self:
        if not (self.increments or self.columns.increments or self.columns.initial):
            raise ValueError("give increments, or a column of them")
        return self

    def stored(self) -> dict[str, Any]:
        """The fields of ``decks.formats.DeckFormat``."""
        form = self.model_dump(exclude={"id", "pattern"})
        return {**form, "columns": self.columns.model_dump(exclude_none=True)}


class DeckFormatShown(DeckFormat):
    """A format as it is stored."""

    @classmethod
    def of(cls, item: Any) -> dict[str, Any]:
        """An item -> the fields of the answer."""
        return {"id": item.source_id, "pattern": item.pattern, **item.form}


class DeckPreviewIn(Shape):
    """A deck file: its ``text``, the base64 of its bytes (gzip, xlsx), or the ``key`` of an uploaded object.

    ``format``: read it so; without one, as it would be read if it were dropped.
    """

    text: Annotated[str | None, Field(max_length=MAX_PREVIEW_BYTES, examples=["Code;Rate;Takt\n44;0,012;60/60\n"])] = (
        None
    )
    base64: bool = False
    key: (
        Annotated[str, Field(pattern=r"^incoming/decks/.{1,300}$", examples=["incoming/decks/value/2026-11-01-a.csv"])]
        | None
    ) = None
    filename: Annotated[str, StringConstraints(min_length=1, max_length=200), Printable] = "preview.csv"
    route: Literal["value", "premium"]
    effective_from: Day
    format: DeckFormat | None = None

    @model_validator(mode="after")
    def _one_file(self) -> Self:
        if (self.text is None) == (self.key is None):
            raise ValueError("give text or key")
        self.data()
        return self

    def data(self) -> bytes:
        """The bytes of ``text``; ``ValueError`` for text that is not base64, or not Unicode."""
        return bytes_of(self.text or "", self.base64)


class DeckQuestion(Shape):
    """What only a person can decide. Each of ``choices`` is a part of a format that answers it."""

    code: str
    message: str
    choices: list[dict[str, Any]]


class DeckPreviewLine(Shape):
    prefix: str
    destination: str
    match: str
    rate_per_minute: Annotated[RateOut, Field(validation_alias="rate_e10")]
    connect_fee: Annotated[AmountOut, Field(validation_alias="fee_e8")]
    initial: int
    increment: int


class DeckPreviewOut(Shape):
    """How a deck file would be read. ``read_by``: a declared format, Forfait's own header, or a guess.

    ``format``: the body of a PUT /v1/deck-formats that reads it so; parts that a question is about are left out, and
    ``items`` are read with the first choice of each question. ``lines``: rows of the file; ``superseded``, ``later``:
    prices left out because another price of the same prefix counts, and prices of a later day. ``ended``,
    ``blocked``: prices that ended before the deck's first day, and lines that are not offered; both are left out.
    """

    read_by: Annotated[str, Field(json_schema_extra={"enum": ["declared", "own", "guessed", "unknown"]})]
    format_id: str | None
    format: dict[str, Any] | None
    questions: list[DeckQuestion]
    lines: int
    prefixes: int
    countries: int
    duplicates: int
    superseded: int
    ended: int
    blocked: int
    later: dict[str, int]
    currency: str | None
    extra_columns: list[str]
    wrong: Annotated[int, Field(description="errors in all; `errors` has the first 100")]
    errors: list[DeckError]
    suspicions: list[Suspicion]
    difference: DeckDiff | None
    items: list[DeckPreviewLine]
