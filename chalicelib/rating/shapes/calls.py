"""The fields of a priced call that the report of calls and the preview of a CDR file share."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from chalicelib.fields import InstantOut, Shape

Direction = Literal["outbound", "inbound"]
Disposition = Literal["ANSWERED", "NO ANSWER", "BUSY", "FAILED"]
NullForEmpty = BeforeValidator(lambda value: value or None)
"""Of an answer's field: null for what is stored as ``""`` or 0."""


class PricedCall(Shape):
    """Who called whom, and for how long; read from a ``RatedCall``. The price follows in the shapes made from it."""

    call_id: str
    start: InstantOut
    direction: str
    client_id: str
    account: str
    from_: Annotated[str, Field(validation_alias="from_number", serialization_alias="from")]
    to: Annotated[str, Field(validation_alias="to_number")]
    destination: str
    country: Annotated[str | None, NullForEmpty]
    disposition: str
    seconds: int
    billed_seconds: int
