"""Previews of CDR files: how the beginning of a file is read, and which source is suggested for it."""

import binascii
from base64 import b64decode
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AliasPath, Field, model_validator

from chalicelib.fields import AmountOut, RateOut, Shape
from chalicelib.rating.shapes.calls import NullForEmpty, PricedCall
from chalicelib.rating.shapes.files import FileName

FORMATS = ("forfait", "voipms", "asterisk", "fusionpbx", "freeswitch")
MAX_PREVIEW_BYTES = 1 << 16
SHOWN_CHARACTERS = 300
"""Of a refused line in a preview: twenty of them must fit the item that keeps the answer to an Idempotency-Key."""


def bytes_of(text: str, is_base64: bool) -> bytes:
    """The bytes of a file sent as text; ``ValueError`` for text that is not base64, or not Unicode."""
    try:
        return b64decode("".join(text.split()), validate=True) if is_base64 else text.encode()
    except UnicodeEncodeError:
        raise ValueError("text has half a character; send base64 instead") from None
    except (binascii.Error, ValueError):
        raise ValueError("text is not base64") from None


class PreviewIn(Shape):
    """The beginning of a file. ``base64``: ``text`` is the base64 of its bytes (gzip, other encodings)."""

    text: Annotated[str, Field(examples=["1,2026-11-23T08:30:00Z,outbound,acme,,+14165550123,ANSWERED,61\n"])]
    base64: bool = False
    filename: FileName = "preview.csv"

    @model_validator(mode="after")
    def _is_readable_and_small(self) -> Self:
        if len(self.data()) > MAX_PREVIEW_BYTES:
            raise ValueError(f"there are more than {MAX_PREVIEW_BYTES} bytes; send the beginning of the file")
        return self

    def data(self) -> bytes:
        """The bytes of the file; ``ValueError`` for text that is not base64, or not Unicode."""
        return bytes_of(self.text, self.base64)


class PreviewCall(PricedCall):
    """A call as it would be rated, if no free minutes are left."""

    rule: str
    rate_per_minute: Annotated[RateOut, Field(validation_alias="rate_e10")]
    amount: Annotated[AmountOut, Field(validation_alias="amount_e8")]
    cost: Annotated[AmountOut, Field(validation_alias="cost_e8")]
    package_id: Annotated[str | None, NullForEmpty]


def _beginning(line: str | None) -> str | None:
    return None if line is None else line[:SHOWN_CHARACTERS]


class PreviewRow(Shape):
    """One line: ``call``, or ``reason``, ``message`` and the beginning of the ``original`` line."""

    line: int
    call: PreviewCall | None = None
    skipped: Annotated[str | None, Field(description="why the line is no call")] = None
    reason: str | None = None
    message: str | None = None
    original: Annotated[str | None, Field(validation_alias="raw"), AfterValidator(_beginning)] = None
    steps: Annotated[list[str], Field(description="how a cost in another currency was converted")] = []


class PreviewQuestion(Shape):
    """Readings that fit alike. ``part`` of the source; ``candidates``: its possible values; ``lines``: some that show
    it; ``message``: the sentence of ``code`` with ``parameters`` in it."""

    code: str
    part: str
    candidates: list[str]
    lines: list[int]
    parameters: dict[str, str]
    message: str


class PreviewAdvice(Shape):
    """What to do about so many ``lines``: the sentence of ``code`` with ``parameters`` in it; ``reason``: why they are
    refused, if they are."""

    code: str
    reason: str | None
    lines: int
    parameters: dict[str, str]
    message: str


class PreviewOut(Shape):
    """How a file would be read. ``format`` ``unknown``: every line would be refused.

    ``lines``, ``rated``, ``rejected`` and ``skipped`` count the whole sample, ``items`` has its first 20 lines.
    """

    filename: str
    source_id: str | None
    format: Annotated[
        str,
        Field(
            validation_alias=AliasPath("layout", "name"),
            json_schema_extra={
                "enum": ["forfait", "voipms", "asterisk", "fusionpbx", "freeswitch", "aliased", "unknown"]
            },
        ),
    ]
    encoding: Annotated[str, Field(json_schema_extra={"enum": ["utf-8", "utf-16-le", "utf-16-be", "windows-1252"]})]
    delimiter: Annotated[
        str, Field(validation_alias=AliasPath("layout", "delimiter"), json_schema_extra={"enum": [",", ";", "\t"]})
    ]
    header: Annotated[bool, Field(validation_alias=AliasPath("layout", "header"))]
    time_zone: str
    lines: int
    rated: int
    rejected: int
    skipped: int
    items: Annotated[list[PreviewRow], Field(validation_alias="rows")]
    suggestion: Annotated[
        dict[str, Any] | None,
        Field(description="a source that can be PUT to /v1/cdr-sources as it is; null: there is nothing to declare"),
    ]
    confidence: Annotated[dict[str, str], Field(description="part of the source -> `certain`, `likely` or `question`")]
    questions: list[PreviewQuestion]
    advice: list[PreviewAdvice]
