"""The audit trail: filter and answer."""

from typing import Annotated, Any

from pydantic import Field

from chalicelib.fields import Day, Id, InstantOut, Paging, Shape


class AuditQuery(Paging):
    """Dates are days of the reseller's time zone (UTC for the operator), both included."""

    date_from: Day | None = None
    date_to: Day | None = None
    subject: Annotated[
        str | None, Field(max_length=200, description="id of what was changed: a client, a key, a number, ...")
    ] = None
    kind: Annotated[
        str | None,
        Field(pattern=r"^[a-z_]{1,40}(\.[a-z_]{1,40})?$", description="`client.changed`, or `client` for all of its"),
    ] = None
    actor: Annotated[
        str | None, Field(max_length=200, description="`key:<id>`, `operator`, or a function such as `system:rating`")
    ] = None
    reseller_id: Annotated[Id | None, Field(description="for the operator: the trail of this reseller")] = None


class ChangeOut(Shape):
    """One field. ``old`` is null if it had no value before, ``new`` if it has none now."""

    field: str
    old: Any
    new: Any


class AuditOut(Shape):
    """``role`` and ``label`` are those of the key at that time; null for changes without a key."""

    id: str
    at: InstantOut
    kind: str
    subject: str
    actor: str
    role: str | None
    label: str | None
    changes: list[ChangeOut]
