"""Clients, the packages attached to them, and people who sign up."""

from typing import Annotated, Literal

from pydantic import AfterValidator, AliasPath, Field

from chalicelib.accounts.shapes import HomeCountry, Language, OptionalCountry, OptionalEmail, OptionalZone, left_out
from chalicelib.fields import Amount, AmountOut, Email, Fee, Id, InstantOut, Line, Paging, Rate, RateOut, Shape

BalanceMode = Literal["permissive", "strict"]
Status = Literal["waiting", "active", "closed"]
PROFILE = (
    "company",
    "first_name",
    "last_name",
    "email",
    "phone",
    "address",
    "city",
    "state",
    "country",
    "zip",
    "language",
    "time_zone",
    "low_balance_email",
)
"""Fields kept together in the client's ``profile``."""


def _each_once(codes: list[str]) -> list[str]:
    return sorted(set(codes))


BlockedCountries = Annotated[list[HomeCountry], AfterValidator(_each_once)]


class Person(Shape):
    """Name, address and settings of a client. ``time_zone`` empty: that of the reseller."""

    language: Language = "en"
    time_zone: OptionalZone = ""
    company: Line = ""
    first_name: Line = ""
    last_name: Line = ""
    email: OptionalEmail = ""
    phone: Line = ""
    address: Line = ""
    city: Line = ""
    state: Line = ""
    country: OptionalCountry = ""
    zip: Line = ""


class ClientIn(Person):
    """A new client.

    ``credit_limit`` null: no limit. ``low_balance_threshold`` null: no warning; a warning goes to ``low_balance_email``
    or, if that is empty, to ``email``. The last three fields limit which calls are authorised; null is no limit.
    """

    balance_mode: BalanceMode = "permissive"
    credit_limit: Fee | None = None
    low_balance_threshold: Amount | None = None
    low_balance_email: OptionalEmail = ""
    blocked_countries: BlockedCountries = []
    max_rate_per_minute: Rate | None = None
    daily_spend_limit: Fee | None = None


class SignupIn(Person):
    """What a person enters to sign up."""

    email: Email


class ClientPatch(Shape):
    """``status``: ``active`` accepts a client that is waiting."""

    status: Literal["active"] = left_out()
    balance_mode: BalanceMode = left_out()
    credit_limit: Fee | None = left_out()
    low_balance_threshold: Amount | None = left_out()
    blocked_countries: BlockedCountries = left_out()
    max_rate_per_minute: Rate | None = left_out()
    daily_spend_limit: Fee | None = left_out()
    low_balance_email: OptionalEmail = left_out()
    language: Language = left_out()
    time_zone: OptionalZone = left_out()
    company: Line = left_out()
    first_name: Line = left_out()
    last_name: Line = left_out()
    email: OptionalEmail = left_out()
    phone: Line = left_out()
    address: Line = left_out()
    city: Line = left_out()
    state: Line = left_out()
    country: OptionalCountry = left_out()
    zip: Line = left_out()


class ClientsQuery(Paging):
    status: Annotated[Status | None, Field(description="only clients of this status")] = None


def _kept(name: str, default: str = "") -> str:
    """A field of the answer that is stored in ``profile``."""
    field: str = Field(default, validation_alias=AliasPath("profile", name))
    return field


class ClientOut(Shape):
    """``last_asked_at``: when a switch last asked whether a call of the client may start, exact to ten minutes; null:
    never. A strict client whose switch does not ask is stopped by nothing."""

    id: str = Field(validation_alias="client_id")
    status: Status
    service: Literal["active", "suspended"]
    balance_mode: BalanceMode
    balance: AmountOut = Field(validation_alias="balance_e8")
    credit_limit: AmountOut | None = Field(validation_alias="credit_limit_e8")
    low_balance_threshold: AmountOut | None = Field(validation_alias="threshold_e8")
    blocked_countries: list[str]
    max_rate_per_minute: RateOut | None = Field(validation_alias="max_rate_e10")
    daily_spend_limit: AmountOut | None = Field(validation_alias="daily_limit_e8")
    low_balance_email: str = _kept("low_balance_email")
    language: str = _kept("language", "en")
    time_zone: str = _kept("time_zone")
    company: str = _kept("company")
    first_name: str = _kept("first_name")
    last_name: str = _kept("last_name")
    email: str = _kept("email")
    phone: str = _kept("phone")
    address: str = _kept("address")
    city: str = _kept("city")
    state: str = _kept("state")
    country: str = _kept("country")
    zip: str = _kept("zip")
    last_asked_at: InstantOut | None
    created_at: InstantOut


class SignedUpOut(Shape):
    """The answer does not depend on the e-mail address, so it does not show whether the address is known."""

    id: str = Field(validation_alias="client_id")
    status: Status


class SignupLinkOut(Shape):
    """The link at which people sign up; null if there is none."""

    token: str | None = Field(validation_alias="signup_token")
    path: str | None = Field(validation_alias="signup_path")


class AttachIn(Shape):
    package_id: Id


class AttachedOut(Shape):
    """A package that a client has."""

    client_id: str
    package_id: str
    attached_at: InstantOut
