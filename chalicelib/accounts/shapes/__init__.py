"""Requests and answers of this room's routes, one module per noun; the field names are the API's contract.

``*In`` is a body that makes something, ``*Patch`` a body that changes only the fields it names (``given``), ``*Out``
an answer, read from a stored item by its attributes.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, StringConstraints, WithJsonSchema

from chalicelib import numbers, periods
from chalicelib.fields import COUNTRY, EMAIL, Country, Printable


def absent() -> Any:
    """Default factory of a patch's fields: a null that is sent is refused, and no default shows in the document."""
    return None


def given(body: BaseModel) -> dict[str, Any]:
    """The fields that a request names, with their values."""
    return {name: getattr(body, name) for name in body.model_fields_set}


def left_out() -> Any:
    """A field that may be left out of a patch, whatever its type."""
    return Field(default_factory=absent)


def nothing() -> Any:
    """An amount or rate that is 0 when it is left out; spelled as a caller would, so that the document is right."""
    return Field("0.00", validate_default=True)


def _home_country(code: str) -> str:
    if code not in numbers.home_countries():
        raise ValueError("must be an ISO 3166 alpha-2 code such as US")
    return code


def _country(code: str) -> str:
    if code and code not in COUNTRIES:
        raise ValueError("must be an ISO 3166 alpha-2 code such as CA")
    return code


def _zone_or_none(name: str) -> str:
    return periods.zone(name).key if name else ""


def _null_for_empty(value: Any) -> Any:
    return None if value == "" else value


COUNTRIES = (numbers.home_countries() - {"AC", "TA"}) | {"AQ", "BV", "GS", "HM", "PN", "TF", "UM"}
"""ISO 3166 alpha-2, and Kosovo's XK: the countries with telephones (but two that only telephony tells apart), and
those without."""
HomeCountry = Annotated[Country, AfterValidator(_home_country)]
PhoneNumber = Annotated[str, AfterValidator(numbers.path_number)]
"""A number of the world, with or without ``+``; stored with it."""
OptionalEmail = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=254, pattern=f"^({EMAIL})?$"),
    Printable,
]
OptionalCountry = Annotated[str, StringConstraints(pattern=f"^({COUNTRY})?$"), AfterValidator(_country)]
OptionalZone = Annotated[
    str, AfterValidator(_zone_or_none), WithJsonSchema({"type": "string", "examples": ["America/Toronto"]})
]
"""An IANA zone, or "" for the reseller's."""
Language = Literal["en", "fr", "es"]
OptionalId = Annotated[str | None, BeforeValidator(_null_for_empty)]
"""An id as it is answered: null for none (stored as ``""``)."""
