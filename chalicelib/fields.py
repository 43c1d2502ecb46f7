"""Types of the fields of requests and answers (pydantic).

A money field is an integer in the code and a decimal string in JSON. A JSON number is refused there, because a float
may have lost the cents before we read it.

Modules of shapes do not use ``from __future__ import annotations``: pydantic would have to compile the text of every
annotation at each cold start.
"""

import re
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
)

from chalicelib import money, periods, text
from chalicelib.config import settings
from chalicelib.errors import FieldError, Invalid

T = TypeVar("T")
MOST_ERRORS = 100
"""Findings that an answer lists: a body can hold more than Lambda may answer."""
_SUBJECT = re.compile("^[A-Z][a-z]+ should ")
"""How pydantic's sentences begin: "Input should be a valid string"."""


class Shape(BaseModel):
    """Base of bodies and answers: strict types, unknown fields refused, immutable.

    ``SECRETS`` names the fields of an answer that are shown once and never stored.
    """

    # Validators are built at first use, so a cold start builds only those of its route.
    model_config = ConfigDict(
        defer_build=True,
        strict=True,
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        from_attributes=True,
        serialize_by_alias=True,
    )
    SECRETS: ClassVar[tuple[str, ...]] = ()


class Query(BaseModel):
    """Base of query strings: text is converted, unknown parameters are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, defer_build=True)


class Paging(Query):
    limit: Annotated[int, Field(ge=1, le=200, description="how many items a page holds")] = 50
    cursor: Annotated[str | None, Field(max_length=2000, description="`next` of the page before")] = None


class Page(Shape, Generic[T]):
    """A list: ``next`` is the cursor of the page after, or null."""

    items: list[T]
    next: str | None = None


def of_defaults() -> Any:
    """Default of an optional inner shape. It is ``{}``, not an instance, which would build its validators at import."""
    return Field({}, validate_default=True)


def _from_text(parse: Callable[[str], int]) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if not isinstance(value, str):
            raise ValueError('must be a string such as "0.012", not a JSON number')
        return parse(value)

    return read


_DECIMAL: dict[str, Any] = {"type": "string", "pattern": r"^-?[0-9]{1,15}(\.[0-9]{1,15})?$"}
_AMOUNT, _RATE, _PERCENT = (WithJsonSchema({**_DECIMAL, "examples": [text]}) for text in ("10.00", "0.012", "20.00"))


def _positive(value: int) -> int:
    if value <= 0:
        raise ValueError("must be more than 0")
    return value


def _not_negative(value: int) -> int:
    if value < 0:
        raise ValueError("must be 0 or more")
    return value


def _fee(value: int) -> int:
    if value > money.MAX_FEE:
        raise ValueError("is too large")
    return value


def _instant(value: Any) -> int:
    if not isinstance(value, str):
        raise ValueError("must be an RFC 3339 instant such as 2026-11-23T08:30:00Z")
    instant = periods.parse_instant(value)
    if not periods.EARLIEST <= instant <= periods.LATEST:
        raise ValueError("must be between 1902 and 2242")
    return instant


def _day(value: str) -> str:
    # What is stored is later reckoned with (the day after, its first second), which overflows at the calendar's ends.
    if not re.fullmatch(r"(19[7-9]\d|2[01]\d\d)-\d\d-\d\d", value, re.ASCII):
        raise ValueError("must be a date such as 2026-11-23, between 1970 and 2199")
    return periods.parse_day(value)


def _zone(value: str) -> str:
    return periods.zone(value).key


def _currency(value: str) -> str:
    if value != settings.currency:
        raise ValueError(f"must be {settings.currency}, the one currency of this deployment")
    return value


Amount = Annotated[int, BeforeValidator(_from_text(money.parse_amount)), _AMOUNT]
"""An amount ``_e8`` of any sign."""
Positive = Annotated[Amount, AfterValidator(_positive)]
Fee = Annotated[Amount, AfterValidator(_not_negative)]
CallFee = Annotated[Fee, AfterValidator(_fee)]
"""A fee that is part of the price of a call; its maximum keeps prices within 64 bits."""
SignedRate = Annotated[int, BeforeValidator(_from_text(money.parse_rate)), _RATE]
Rate = Annotated[SignedRate, AfterValidator(_not_negative)]
"""A rate ``_e10`` per minute, not negative."""
Percent = Annotated[int, BeforeValidator(_from_text(money.parse_percent)), _PERCENT]
Instant = Annotated[int, BeforeValidator(_instant), WithJsonSchema({"type": "string", "format": "date-time"})]

AmountOut = Annotated[int, PlainSerializer(money.format_amount, return_type=str), _AMOUNT]
RateOut = Annotated[int, PlainSerializer(money.format_rate, return_type=str), _RATE]
PercentOut = Annotated[int, PlainSerializer(money.format_percent, return_type=str), _PERCENT]
InstantOut = Annotated[
    int,
    PlainSerializer(periods.format_instant, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Day = Annotated[str, AfterValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Month = Annotated[
    str, AfterValidator(periods.parse_month), WithJsonSchema({"type": "string", "pattern": r"^\d{4}-(0[1-9]|1[0-2])$"})
]
Printable = AfterValidator(text.checked)
"""One line of text that people write; see ``text``."""
MAX_LINE = 300
"""Characters: the longest registered names of companies have some 250."""
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_LINE), Printable]
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_LINE), Printable]
Id = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{1,64}$")]
_USERNAME = r"^[A-Za-z0-9_.@+-]{1,64}$"
Username = Annotated[str, StringConstraints(pattern=_USERNAME)]
EMAIL = r"[^@\s]+@[^@\s]+\.[^@\s]+"
COUNTRY = "[A-Z]{2}"
NUMBER_PREFIX = "[+ ]?[0-9]{1,15}"
"""In a query string + means a blank."""
MEANT = {
    EMAIL: "must be an e-mail address such as me@example.com",
    COUNTRY: "must be an ISO 3166 alpha-2 code such as CA",
    NUMBER_PREFIX: "must be the first digits of numbers, such as +44",
}
"""Pattern -> message for a value that does not match it."""
Email = Annotated[str, StringConstraints(strip_whitespace=True, max_length=254, pattern=f"^{EMAIL}$"), Printable]
NumberPrefix = Annotated[
    str, StringConstraints(pattern=f"^{NUMBER_PREFIX}$"), AfterValidator(lambda text: text.lstrip("+ "))
]
"""The first digits of numbers, as a query string has them -> the digits."""
Country = Annotated[str, StringConstraints(pattern=f"^{COUNTRY}$")]
Zone = Annotated[str, AfterValidator(_zone), WithJsonSchema({"type": "string", "examples": ["America/Toronto"]})]
Currency = Annotated[str, AfterValidator(_currency), WithJsonSchema({"type": "string", "examples": ["USD"]})]
Seconds = Annotated[int, Field(ge=1, le=3600)]


class Pulse(Shape):
    """Billing increment in seconds: the first ``initial`` seconds are billed whole, then each started ``increment``."""

    initial: Seconds
    increment: Seconds


def check_id(text: str) -> bool:
    """Whether a path parameter may be part of a key: at most 128 characters, none of them a separator of keys."""
    return re.fullmatch(r"[0-9A-Za-z_.@+-]{1,128}", text, re.ASCII) is not None


def is_username(text: str) -> bool:
    """Whether a text may be the user name of a sub-account."""
    return re.fullmatch(_USERNAME, text, re.ASCII) is not None


def invalid(error: ValidationError) -> Invalid:
    """pydantic's findings as ours: dotted field names as the caller spells them, sentences a person understands."""
    items = error.errors(include_url=False, include_context=False, include_input=False)[:MOST_ERRORS]
    found = tuple(
        FieldError(".".join(str(part) for part in item["loc"])[:200] or "body", _sentence(item)) for item in items
    )
    return Invalid("; ".join(f"{e.field} {e.message}" for e in found[:5]), found)


def _sentence(item: Any) -> str:
    """What is wrong, so that it reads on from the field's name."""
    message = str(item["msg"]).removeprefix("Value error, ")
    if item["type"] == "string_pattern_mismatch":
        # Only the message has the pattern: contexts are left out, for they may hold what is no JSON.
        pattern = message.partition("'")[2].removesuffix("'")
        message = next((meant for form, meant in MEANT.items() if pattern in (f"^{form}$", f"^({form})?$")), message)
    message = _SUBJECT.sub("must ", message, count=1)
    return {"extra_forbidden": "is not a field of this request", "missing": "is required"}.get(item["type"], message)
