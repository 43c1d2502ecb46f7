"""Everything Forfait refuses, as one tree.

::

    ForfaitError
    ├── Malformed       400  the request cannot be read
    ├── Unauthenticated 401  no key, or one we do not know
    ├── Forbidden       403  a known key of the wrong role
    ├── NotFound        404  unknown, or a stranger's
    ├── Conflict        409  true, but not now
    ├── TooLarge        413  ask another way
    ├── Invalid         422  which field, and why
    ├── TooFast         429
    ├── LostRace             somebody else wrote first: read again and decide again
    └── Refused              an uploaded file that cannot be taken as a whole

The number beside a class is its HTTP status; ``web`` is the only place that reads it.
Bad *data* (a line of a CDR file) is not an exception but a value: see ``rating.cdr.formats.Rejection``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FieldError:
    """One field of a request that is wrong: ``field`` as the caller spells it, ``message`` says what to do."""

    field: str
    message: str


class ForfaitError(Exception):
    """Base of the tree; ``detail`` is a sentence for the person who asked."""

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
        """The common case: one field is wrong."""
        return cls(message, (FieldError(field, message),))


class TooFast(ForfaitError):
    """``retry_after``: seconds after which another try makes sense."""

    status, title = 429, "Too many requests"

    def __init__(self, detail: str = "", *, retry_after: int = 1) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class LostRace(ForfaitError):
    """A conditional write found another state than the one it was decided on.

    ``reasons`` has one DynamoDB code per write of the transaction (``"None"`` where that write was fine).
    """

    status, title = 409, "Somebody else changed this at the same moment; try again"

    def __init__(self, reasons: tuple[str, ...] = ()) -> None:
        super().__init__(self.title)
        self.reasons = reasons


class Refused(ForfaitError):
    """A file that cannot be taken as a whole (over the size cap, not a gzip stream); ``detail`` says what to do."""

    status, title = 422, "File refused"
