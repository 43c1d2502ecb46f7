"""Requests and answers of this room's routes."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from chalicelib.fields import AmountOut, Email, InstantOut, Positive, Shape

Environment = Literal["live", "sandbox"]
WholeAmount = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,5}$"), Field(examples=["10"])]
MerchantId = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{13}$"), Field(examples=["7E7MGXCWTTKK2"])]
AppText = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,200}$"), Field(examples=["AbCd-1"])]


def _different(values: list[str]) -> list[str]:
    if len(set(values)) < len(values):
        raise ValueError("has an amount twice")
    return values


class PaypalIn(Shape):
    """``amounts`` are whole, as text, in the order they are offered. With ``merchant_id`` only that account counts."""

    email: Email
    merchant_id: MerchantId | None = None
    environment: Environment = "live"
    amounts: Annotated[list[WholeAmount], Field(min_length=1, max_length=20), AfterValidator(_different)]


class HealthOut(Shape):
    """When PayPal's messages came last: any, one that PayPal knew, one it did not, one it said nothing clear about."""

    received_at: InstantOut | None
    verified_at: InstantOut | None
    invalid_at: InstantOut | None
    unclear_at: InstantOut | None


class AppOut(Shape):
    """The reseller's REST app; its secret is never shown."""

    app_key: str
    webhook_id: str


class PaypalOut(Shape):
    """``email`` is null until PayPal is set up. ``notify_url`` is what to enter at PayPal as the IPN address."""

    email: str | None
    merchant_id: str | None
    environment: Environment
    amounts: list[str]
    notify_url: str | None
    receiver_id: str | None
    app: AppOut | None
    health: HealthOut
    open_reviews: int
    notes: list[str]


class AppIn(Shape):
    """A REST app of the reseller's own, for the present environment: PayPal's "Client ID" and "Secret"."""

    app_key: AppText
    app_secret: AppText


class DepositIn(Shape):
    """``amount`` is one of those that the reseller offers."""

    amount: Positive


class DepositOut(Shape):
    """``action`` and ``fields`` make the form that leads to PayPal; ``pay_url`` is a page with that form."""

    id: str
    client_id: str
    invoice: str
    custom: str
    amount: AmountOut
    currency: str
    environment: Environment
    status: Literal["open", "pending", "paid", "failed", "review"]
    action: str
    fields: dict[str, str]
    pay_url: str
    created_at: InstantOut
    open_until: InstantOut


class ReviewOut(Shape):
    """Something to look at: ``reason`` is explained in docs/paypal.md, ``note`` is PayPal's word."""

    id: str = Field(validation_alias="review_id")
    reason: str
    environment: Environment
    txn_id: str
    note: str
    told: str
    client_id: str
    deposit_id: str
    at: InstantOut


class MessageOut(Shape):
    """A message that came from PayPal, without what it says about the payer."""

    id: str = Field(validation_alias="message_id")
    environment: Environment
    channel: Literal["ipn", "webhook"]
    received_at: InstantOut
    verdict: str
    outcome: str
    reason: str
    txn_id: str
