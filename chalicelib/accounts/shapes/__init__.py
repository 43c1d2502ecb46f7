"""Requests and answers of this room's routes, one module per noun. The field names are part of the API.

``*In`` is a body that creates something, ``*Patch`` a body that changes the fields it names (``given``), ``*Out`` an
answer, read from the attributes of a stored item.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, StringConstraints, WithJsonSchema

from chalicelib import numbers, periods
from chalicelib.fields import COUNTRY, EMAIL, Country, Printable


def absent() -> Any:
    """Default factory of the fields of a patch: null is refused, and the OpenAPI document shows no default."""
    return None


def given(body: BaseModel) -> dict[str, Any]:
    """The fields that a request names, with their values."""
    return {name: getattr(body, name) for name in body.model_fields_set}


def left_out() -> Any:
    """A field that may be left out of a patch, of any type."""
    return Field(default_factory=absent)


def nothing() -> Any:
    """An amount or rate that is 0 if it is left out; as text, so the OpenAPI document shows it as callers write it."""
    return Field("0.00", validate_default=True)


def _home_country(code: str) -> str:
    return _one_of(numbers.home_countries(), code)


def _country(code: str) -> str:
    return _one_of(COUNTRIES, code) if code else ""


def _one_of(countries: frozenset[str], code: str) -> str:
    if code not in countries:
        meant = "; the United Kingdom is GB" if code == "UK" else ""
        raise ValueError(f"must be an ISO 3166 alpha-2 code such as CA{meant}")
    return code


def _zone_or_none(name: str) -> str:
    return periods.zone(name).key if name else ""


def _null_for_empty(value: Any) -> Any:
    return None if value == "" else value


COUNTRIES = (numbers.home_countries() - {"AC", "TA"}) | {"AQ", "BV", "GS", "HM", "PN", "TF", "UM"}
"""ISO 3166 alpha-2 codes and Kosovo's XK: the countries of telephone numbers (without two that are countries in the
numbering plan only), and those that have no numbers of their own."""
HomeCountry = Annotated[Country, AfterValidator(_home_country)]
PhoneNumber = Annotated[str, AfterValidator(numbers.path_number)]
"""A number in E.164 format, with or without ``+``; stored with it."""
OptionalEmail = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=254, pattern=f"^({EMAIL})?$"),
    Printable,
]
OptionalCountry = Annotated[str, StringConstraints(pattern=f"^({COUNTRY})?$"), AfterValidator(_country)]
OptionalZone = Annotated[
    str, AfterValidator(_zone_or_none), WithJsonSchema({"type": "string", "examples": ["America/Toronto"]})
]
"""An IANA zone, or ``""`` for that of the reseller."""
Language = Literal["en", "fr", "es"]
OptionalId = Annotated[str | None, BeforeValidator(_null_for_empty)]
"""An id in an answer: null for none, which is stored as ``""``."""
