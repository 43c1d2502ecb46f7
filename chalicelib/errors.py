"""The exceptions of Forfait, as one tree.

::

    ForfaitError
    ├── Malformed       400  the request cannot be read
    ├── Unauthenticated 401  no key, or an unknown one
    ├── Forbidden       403  a known key that may not do this
    ├── NotFound        404  it does not exist, or belongs to another reseller
    ├── Conflict        409  the present state does not allow it
    ├── TooLarge        413  the body or the answer is too long
    ├── Invalid         422  a field is wrong
    ├── TooFast         429  the key makes too many requests
    ├── LostRace             another write came first: read again and decide again
    └── Refused              a file is refused as a whole

The number is the HTTP status; only ``web`` reads it.
Bad *data* (a line of a CDR file) is not an exception but a value: see ``rating.cdr.call.Rejection``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True)
class FieldError:
    """One wrong field of a request. ``field``: its name in the request. ``message``: what it must be."""

    field: str
    message: str


class ForfaitError(Exception):
    """Base of the tree. ``detail``: a sentence for the caller. ``errors``: the fields that are wrong."""

    status = 500
    title = "Internal error"

    def __init__(self, detail: str = "", errors: tuple[FieldError, ...] = ()) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.errors = errors


class Malformed(ForfaitError):
    status, title = 400, "Malformed request"


class Unauthenticated(ForfaitError):
    status, title = 401, "A valid API key is needed"


class Forbidden(ForfaitError):
    status, title = 403, "This key may not do that"


class NotFound(ForfaitError):
    status, title = 404, "Not found"


class Conflict(ForfaitError):
    status, title = 409, "Conflict"


class TooLarge(ForfaitError):
    status, title = 413, "Too large"


class Invalid(ForfaitError):
    status, title = 422, "Invalid request"

    @classmethod
    def field(cls, field: str, message: str) -> Invalid:
        """An error about one field."""
        return cls(message, (FieldError(field, message),))


class TooFast(ForfaitError):
    """``retry_after``: seconds after which a request is accepted again."""

    status, title = 429, "Too many requests"

    def __init__(self, detail: str = "", *, retry_after: int = 1) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class LostRace(ForfaitError):
    """A condition of a write failed, because the stored state changed after it was read.

    ``reasons``: one DynamoDB code for each write of the transaction (``"None"`` for a write that did not fail).
    """

    status, title = 409, "Somebody else changed this at the same moment; try again"

    def __init__(self, reasons: tuple[str, ...] = ()) -> None:
        super().__init__(self.title)
        self.reasons = reasons


class Refused(ForfaitError):
    """A file that is refused as a whole (too large, broken gzip); ``detail`` says what to do."""

    status, title = 422, "File refused"


def existing(found: _T | None, detail: str = "") -> _T:
    """What was found; ``NotFound`` if that is ``None``."""
    if found is None:
        raise NotFound(detail)
    return found
