"""Resellers, the reseller's own account, and API keys."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from chalicelib.accounts.shapes import HomeCountry, Language, left_out
from chalicelib.config import settings
from chalicelib.fields import Amount, AmountOut, Currency, Day, Email, Id, Instant, InstantOut, Line, Name, Shape, Zone
from chalicelib.principals import SCOPES, KeyScope

KeyRole = Literal["reseller", "reseller_readonly", "client"]
CostSource = Literal["deck", "record"]


class ResellerIn(Shape):
    """With ``activate`` false the reseller is ``pending`` until it activates itself."""

    name: Name
    email: Email
    currency: Currency = settings.currency
    time_zone: Zone = "UTC"
    home_country: HomeCountry = "US"
    activate: bool = True


class ResellerPatch(Shape):
    """What the operator may change of a reseller."""

    name: Name = left_out()
    email: Email = left_out()
    status: Literal["active", "suspended"] = left_out()


class AccountPatch(Shape):
    """What a reseller may change of itself. ``cost_source``: which cost of a call counts, the deck's or the record's.

    A zone belongs to whole months: another ``time_zone`` holds from the first day of the next month, or from
    ``time_zone_from``, the first day of a later one. While there is no entry and no rated call it holds at once.

    If its balance falls under ``low_balance_threshold`` (what it owes is negative), it gets a notice in ``language``.
    """

    name: Name = left_out()
    time_zone: Zone = left_out()
    time_zone_from: Day = left_out()
    home_country: HomeCountry = left_out()
    cost_source: CostSource = left_out()
    language: Language = left_out()
    low_balance_threshold: Amount | None = left_out()


class ZoneChange(Shape):
    """The time zone that follows the present one, and the first day of it."""

    time_zone: str
    from_: Annotated[str, Field(alias="from", json_schema_extra={"format": "date"})]


class ResellerOut(Shape):
    """``time_zone``: the present one; ``time_zone_next``: a change that is planned, null for none.

    ``last_asked_at``: when a switch last asked whether a call may start, exact to ten minutes; null: never.
    """

    id: str = Field(validation_alias="reseller_id")
    name: str
    email: str
    currency: str
    time_zone: str
    time_zone_next: ZoneChange | None
    home_country: str
    cost_source: CostSource
    status: Literal["pending", "active", "suspended"]
    balance: AmountOut = Field(validation_alias="balance_e8")
    language: str
    low_balance_threshold: AmountOut | None = Field(validation_alias="threshold_e8")
    last_asked_at: InstantOut | None
    created_at: InstantOut


class ResellerMade(ResellerOut):
    """A new reseller with its first key, which is shown only here."""

    SECRETS: ClassVar[tuple[str, ...]] = ("api_key",)
    api_key: str | None


class KeyIn(Shape):
    """``client_id``: for the role ``client``, and only for it. ``scopes`` null: all that the role may do."""

    role: KeyRole = "reseller"
    client_id: Id | None = None
    label: Line = ""
    scopes: Annotated[list[KeyScope], Field(min_length=1, max_length=len(SCOPES))] | None = None
    expires_at: Instant | None = None


class RotateIn(Shape):
    """``grace_seconds``: how long the old key stays valid; 0 ends it at once."""

    grace_seconds: Annotated[int, Field(ge=0, le=30 * 86_400)] = 86_400


class KeyOut(Shape):
    """``last_used_at`` is exact to an hour. From ``expires_at`` on the key is refused."""

    id: str = Field(validation_alias="key_id")
    role: KeyRole
    client_id: str | None
    label: str
    scopes: list[KeyScope] | None
    last_used_at: InstantOut | None
    expires_at: InstantOut | None
    created_at: InstantOut


class KeyMade(KeyOut):
    """A new key, which is shown only here."""

    SECRETS: ClassVar[tuple[str, ...]] = ("api_key",)
    api_key: str | None
