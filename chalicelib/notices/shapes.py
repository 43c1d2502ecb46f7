"""Requests and answers of this room."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from chalicelib.config import settings
from chalicelib.fields import Id, InstantOut, Paging, Shape
from chalicelib.notices import targets

Kind = Literal[
    "client.low_balance",
    "client.suspended",
    "client.resumed",
    "account.low_balance",
    "batch.rejects",
    "batch.failed",
]
ClientKind = Literal["client.low_balance", "client.suspended", "client.resumed"]
Status = Literal["pending", "delivered", "dead"]


def _url(text: str) -> str:
    return targets.check_url(text, loopback=settings.is_local)


Url = Annotated[
    str,
    Field(min_length=9, max_length=2000, json_schema_extra={"examples": ["https://example.com/forfait"]}),
    AfterValidator(_url),
]
Kinds = Annotated[list[Kind], Field(min_length=1, max_length=20)]


class WebhookIn(Shape):
    """``events`` null means all kinds, also kinds that come later."""

    url: Url
    events: Kinds | None = None


class WebhookOut(Shape):
    id: str = Field(validation_alias="webhook_id")
    url: str
    events: list[str] | None
    created_at: InstantOut


class WebhookMade(WebhookOut):
    """A webhook with the secret that signs its requests. The secret is shown only once."""

    SECRETS: ClassVar[tuple[str, ...]] = ("secret",)
    secret: str | None


class WishesIn(Shape):
    """Kinds of events that go out by e-mail: to clients about themselves, and to the reseller."""

    clients: Annotated[list[ClientKind], Field(max_length=20)]
    reseller: Annotated[list[Kind], Field(max_length=20)]


class WishesOut(Shape):
    clients: list[str]
    reseller: list[str]


class DeliveriesQuery(Paging):
    channel: Literal["email", "webhook"] | None = None
    status: Status | None = None
    webhook_id: Id | None = None


class DeliveryOut(Shape):
    """One event sent to one receiver. ``id`` is the id of the event: the same for every receiver and every try."""

    id: str = Field(validation_alias="event_id")
    event: str = Field(validation_alias="kind")
    channel: Literal["email", "webhook"]
    webhook_id: str | None
    to: str = Field(validation_alias="target")
    data: dict[str, Any]
    status: Status
    attempts: int
    last_status: int | None
    last_error: str
    created_at: InstantOut
    next_attempt_at: InstantOut | None
    ended_at: InstantOut | None
