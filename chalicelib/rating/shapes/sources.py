"""CDR sources: what a reseller declares about its CDR files. ``docs/cdr-formats.md`` explains every part."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema, model_validator

from chalicelib.config import settings
from chalicelib.fields import Id, Printable, Shape, Username, Zone, of_defaults
from chalicelib.numbering import E164_LEAST, E164_MOST
from chalicelib.rating.cdr import date_patterns
from chalicelib.rating.shapes.calls import Direction, Disposition
from chalicelib.rating.shapes.files import relative
from chalicelib.rating.shapes.fx import CostCurrency, Fx
from chalicelib.text import checked

MOST_RULES = 50
Pattern = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200),
    Printable,
    AfterValidator(relative),
    Field(
        description="a folder that ends with `/`, or a pattern with `*` and `?`", examples=["tokyo/", "*-Master.csv*"]
    ),
]
MOST_TITLE, MOST_PLACE = 100, 200


def _column(value: Any) -> str | int:
    """A title without blanks around it, or a place; one check for both, so that a mistake is one sentence."""
    if isinstance(value, int) and not isinstance(value, bool):
        if not 1 <= value <= MOST_PLACE:
            raise ValueError(f"must be a place from 1 to {MOST_PLACE}, or the title of a column")
        return value
    if not isinstance(value, str):
        raise ValueError("must be a string, the title of a column, or a whole number, its place from 1 on")
    title = value.strip()
    if not 1 <= len(title) <= MOST_TITLE:
        raise ValueError(f"must be a title of at least 1 and at most {MOST_TITLE} characters, or a place from 1 on")
    return checked(title)


_ONE: dict[str, Any] = {
    "anyOf": [
        {"type": "string", "minLength": 1, "maxLength": MOST_TITLE},
        {"type": "integer", "minimum": 1, "maximum": MOST_PLACE},
    ]
}
Column = Annotated[
    Any,
    BeforeValidator(_column),
    WithJsonSchema(
        {
            **_ONE,
            "examples": ["src"],
        }
    ),
]


def _start(value: Any) -> Any:
    """A column, or two: of the date and of the time."""
    if not isinstance(value, list):
        return _column(value)
    if len(value) != 2:
        raise ValueError("must be a column, or a list of two: that of the date and that of the time")
    return [_column(each) for each in value]


StartColumn = Annotated[
    Any,
    BeforeValidator(_start),
    WithJsonSchema(
        {
            "anyOf": [*_ONE["anyOf"], {"type": "array", "minItems": 2, "maxItems": 2, "items": _ONE}],
            "examples": ["calldate", ["Date", "Time"]],
        }
    ),
]
Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), Printable]
Words = Annotated[list[Word], Field(max_length=MOST_RULES)]
DateFormat = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=40),
    Printable,
    AfterValidator(date_patterns.checked),
    Field(
        description="`auto`, `epoch_s`, `epoch_ms`, or a pattern of CLDR letters",
        examples=["auto", "d/M/y H:m:s", "yyyyMMdd-HHmmss"],
    ),
]


def _given(shape: Shape) -> dict[str, Any]:
    return shape.model_dump(by_alias=True, exclude_none=True)


def _all_different(words: Any, what: str) -> None:
    """Raise ``ValueError`` for two words that differ in capitals only: it is not clear which one a file means."""
    seen: set[str] = set()
    for word in words:
        if word.lower() in seen:
            raise ValueError(f"{what} {word} comes twice")
        seen.add(word.lower())


class SourceColumns(Shape):
    """Forfait's name of a column -> its title in the header of the file, or its place from 1 on.

    Two of Forfait's columns may name the same column. ``start``: one column, or two, of the date and of the time.
    ``duration``: seconds of the whole call, ringing included;
    ``channel``, ``destination_channel``, ``context``, ``application``: what rules about accounts, directions and
    skipped rows look at. ``did``: the DID that a call from outside came in by, which was put through to ``to``.
    """

    call_id: Column | None = None
    start: StartColumn | None = None
    direction: Column | None = None
    account: Column | None = None
    from_: Annotated[Column | None, Field(alias="from")] = None
    to: Column | None = None
    disposition: Column | None = None
    seconds: Column | None = None
    cost: Column | None = None
    duration: Column | None = None
    channel: Column | None = None
    destination_channel: Column | None = None
    context: Column | None = None
    application: Column | None = None
    did: Column | None = None


class SourceWords(Shape):
    """For ``direction`` and ``disposition``: the file's word -> Forfait's."""

    direction: Annotated[dict[Word, Direction], Field(max_length=50)] | None = None
    disposition: Annotated[dict[Word, Disposition], Field(max_length=50)] | None = None

    @model_validator(mode="after")
    def _are_different(self) -> Self:
        for words in _given(self).values():
            _all_different(words, "the word")
        return self


class SourceDefaults(Shape):
    """The value to use if the file has no such column, or the field is empty."""

    direction: Direction | None = None
    disposition: Disposition | None = None
    account: Username | None = None
    from_: Annotated[Word | None, Field(alias="from")] = None


class SourceSide(Shape):
    """Dialplan contexts, and channels by the name between ``/`` and the last ``-``, or by technology and name."""

    contexts: Words | None = None
    channels: Words | None = None


class SourceDirection(Shape):
    """Where a call comes from: ``inside`` (a sub-account: outbound) or from one of the ``trunks`` (inbound)."""

    inside: SourceSide | None = None
    trunks: SourceSide | None = None


class SourceSkip(Shape):
    """Rows that are no calls: by context, by the last application, or by the text dialled."""

    contexts: Words | None = None
    applications: Words | None = None
    numbers: Words | None = None


class LocalNumber(Shape):
    """Numbers of so many digits get ``prefix`` (``+`` and digits) before them."""

    digits: Annotated[int, Field(ge=2, le=12)]
    prefix: Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{0,12}$"), Field(examples=["+73952"])]

    @model_validator(mode="after")
    def _makes_a_number(self) -> Self:
        together = len(self.prefix) - 1 + self.digits
        if not E164_LEAST <= together <= E164_MOST:
            raise ValueError(
                f"prefix and digits make a number of {together} digits; numbers have {E164_LEAST} to {E164_MOST}"
            )
        return self


class CdrSource(Shape):
    """A declaration about the CDR files of a switch or carrier: whose names match ``pattern``, and how to read them."""

    id: Id
    pattern: Pattern
    header: Literal["auto", "present", "absent"] | None = None
    skip_lines: Annotated[int | None, Field(ge=0, le=100, description="lines before the header or the first row")] = (
        None
    )
    columns: SourceColumns = of_defaults()
    date_format: DateFormat | None = None
    time_zone: Zone | None = None
    seconds_format: Annotated[
        Literal["auto", "m:s", "h:m", "s", "ms", "min"] | None,
        Field(description="what `12:34`, or the unit of a plain number, is in a column of seconds"),
    ] = None
    words: SourceWords = of_defaults()
    defaults: SourceDefaults = of_defaults()
    account: Annotated[list[Literal["column", "channel", "caller"]] | None, Field(min_length=1, max_length=3)] = None
    direction: SourceDirection | None = None
    strip: (
        Annotated[
            list[Annotated[str, StringConstraints(pattern=r"^[0-9*#]{1,12}$"), Field(examples=["9", "*67"])]],
            Field(max_length=MOST_RULES, examples=[["9"]]),
        ]
        | None
    ) = None
    strip_always: bool | None = None
    local_numbers: Annotated[list[LocalNumber] | None, Field(max_length=MOST_RULES)] = None
    cost_currency: CostCurrency | None = None
    fx: Fx | None = None
    skip: SourceSkip | None = None

    @model_validator(mode="after")
    def _declares_something(self) -> Self:
        if not self.stored()["declares"]:
            raise ValueError("declares nothing: give at least one part beside id and pattern, such as time_zone")
        if (self.cost_currency is None) != (self.fx is None):
            raise ValueError("cost_currency and fx belong together: give both")
        if self.cost_currency == settings.currency:
            raise ValueError(f"cost_currency: costs in {settings.currency} need no fx; leave both out")
        return self

    @model_validator(mode="after")
    def _numbers_are_clear(self) -> Self:
        if self.strip_always is not None and not self.strip:
            raise ValueError("strip_always says how to strip: give strip, too")
        lengths = [rule.digits for rule in self.local_numbers or ()]
        if len(set(lengths)) < len(lengths):
            raise ValueError("local_numbers: two rules are for numbers of the same count of digits")
        return self

    def stored(self) -> dict[str, Any]:
        """The fields of the item that it is stored as; ``declares`` has the parts that are given."""
        parts = {name: value for name, value in _given(self).items() if name not in ("id", "pattern")}
        declares = {name: value for name, value in parts.items() if value != {}}
        return {"source_id": self.id, "pattern": self.pattern, "declares": declares}
