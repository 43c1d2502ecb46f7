"""Uploads and batches of CDR files."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from chalicelib.fields import (
    AmountOut,
    Day,
    Instant,
    InstantOut,
    Paging,
    Printable,
    Shape,
)
from chalicelib.numbers import path_number
from chalicelib.rating.shapes import DownloadUrl
from chalicelib.rating.shapes.fx import CostCurrency, Fx, FxRate


def relative(path: str) -> str:
    """A path below a folder, unchanged; ``ValueError`` for one from the root."""
    if path.startswith("/"):
        raise ValueError("must not start with /: it is below your own folder")
    return path


FileName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200),
    Printable,
    AfterValidator(relative),
    Field(description="name of a file below `incoming/cdr/<reseller_id>/`", examples=["tokyo/november.csv"]),
]


Filename = Annotated[
    str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z_. -]{0,120}$"), Field(examples=["november.csv.gz"])
]


class UploadIn(Shape):
    """``cdr`` takes a file name; ``deck`` (operator) also its route and first day, and for costs in another currency
    ``cost_currency`` and ``fx``."""

    kind: Literal["cdr", "deck"]
    filename: Filename
    route: Literal["value", "premium"] | None = None
    effective_from: Day | None = None
    cost_currency: CostCurrency | None = None
    fx: FxRate | None = None

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.kind == "deck" and not (self.route and self.effective_from):
            raise ValueError("a deck needs route and effective_from")
        if self.kind == "cdr" and (self.route or self.effective_from or self.cost_currency):
            raise ValueError("route, effective_from and cost_currency are for decks")
        if self.fx and not self.cost_currency:
            raise ValueError("fx needs cost_currency")
        return self


class UploadOut(Shape):
    """PUT the file's bytes to ``url`` with these headers within 15 minutes."""

    url: str
    method: str
    headers: dict[str, str]
    key: str


class BatchOut(Shape):
    """``internal``: how many of the ``rated`` calls were to internal numbers, such as extensions."""

    id: Annotated[str, Field(validation_alias="batch_id")]
    key: Annotated[str, Field(validation_alias="object_key")]
    status: Annotated[str, Field(json_schema_extra={"enum": ["queued", "rating", "done", "failed"]})]
    lines: int
    rated: int
    internal: int
    rejected: int
    duplicates: int
    skipped: Annotated[int, Field(description="lines that are no calls by the `skip` of the source")]
    conflicting: int
    cost: Annotated[AmountOut, Field(validation_alias="cost_e8")]
    revenue: Annotated[AmountOut, Field(validation_alias="revenue_e8")]
    cost_currency: Annotated[str | None, Field(description="of the costs in the file, if not the deployment's")]
    fx: Annotated[Fx | None, Field(description="what they were converted by")]
    started_at: InstantOut | None
    finished_at: InstantOut | None
    size: Annotated[int, Field(description="bytes of the file; 0 before it is read")]
    bytes_read: Annotated[int, Field(description="how many of them were read so far")]
    rejected_url: Annotated[DownloadUrl | None, Field(validation_alias="rejects_key")]
    conflicts_url: Annotated[DownloadUrl | None, Field(validation_alias="conflicts_key")]
    reason: str | None


class BatchQuery(Paging):
    """``account`` or ``did``: only batches that have billed calls of it, from ``calls_from`` on."""

    account: Annotated[str | None, Field(max_length=64, description="that have billed calls of this user name")] = None
    did: Annotated[str | None, Field(max_length=40, description="that have billed calls to this number")] = None
    calls_from: Annotated[Instant | None, Field(description="with account or did: calls that began then or later")] = (
        None
    )

    @model_validator(mode="after")
    def _one_holder(self) -> Self:
        if self.account is not None and self.did is not None:
            raise ValueError("take account or did, not both")
        if self.calls_from is not None and self.account is None and self.did is None:
            raise ValueError("calls_from needs account or did")
        return self

    @property
    def holder(self) -> str | None:
        """``sub:<username>``, ``did:<number>`` or ``None``; text that is not a number is a DID without calls."""
        if self.did is not None:
            return f"did:{_number_of(self.did)}"
        return None if self.account is None else f"sub:{self.account}"


def _number_of(text: str) -> str:
    try:
        return path_number(text)
    except ValueError:
        return text
