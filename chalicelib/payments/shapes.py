"""Requests and answers of the routes of payments."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from chalicelib.fields import AmountOut, Email, InstantOut, Positive, Shape

Environment = Literal["live", "sandbox"]
WholeAmount = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,5}$"), Field(examples=["10"])]
MerchantId = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{13}$"), Field(examples=["7E7MGXCWTTKK2"])]
AppText = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,200}$"), Field(examples=["AbCd-1"])]


def _without_repeats(values: list[str]) -> list[str]:
    if len(set(values)) < len(values):
        raise ValueError("has an amount twice")
    return values


class PaypalIn(Shape):
    """PayPal settings. ``amounts`` are whole numbers as text, in the order in which the page offers them. With
    ``merchant_id`` only payments to that account count."""

    email: Email
    merchant_id: MerchantId | None = None
    environment: Environment = "live"
    amounts: Annotated[list[WholeAmount], Field(min_length=1, max_length=20), AfterValidator(_without_repeats)]


class HealthOut(Shape):
    """Instants of the latest message: of any; of one that PayPal verified, called invalid, did not answer clearly."""

    received_at: InstantOut | None
    verified_at: InstantOut | None
    invalid_at: InstantOut | None
    unclear_at: InstantOut | None


class AppOut(Shape):
    """The reseller's REST app, without its secret."""

    app_key: str
    webhook_id: str


class PaypalOut(Shape):
    """PayPal settings. ``email`` is null until PayPal is set up. Enter ``notify_url`` at PayPal as the IPN address."""

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
    """A REST app of the reseller for the current environment: PayPal's "Client ID" and "Secret"."""

    app_key: AppText
    app_secret: AppText


class DepositIn(Shape):
    """``amount`` must be one of the amounts that the reseller offers."""

    amount: Positive


class DepositOut(Shape):
    """A deposit. ``action`` and ``fields`` are the form that leads to PayPal, ``pay_url`` a page with that form."""

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
    """A message that a person should look at. docs/paypal.md explains each ``reason``. ``note`` and ``told`` are
    PayPal's texts: what it is about, and the amount."""

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
    """A message from PayPal, without the personal data of the payer."""

    id: str = Field(validation_alias="message_id")
    environment: Environment
    channel: Literal["ipn", "webhook"]
    received_at: InstantOut
    verdict: str
    outcome: str
    reason: str
    txn_id: str
