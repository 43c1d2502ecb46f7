"""Compares the billable seconds of a call with the duration of the whole call."""

from __future__ import annotations

import re

from chalicelib.rating.cdr.call import BadField

_SPAN = re.compile(r"(?:(\d{1,4}):(\d\d):)?(\d{1,8})", re.ASCII)


def check(seconds: str, duration: str, names: tuple[str, str]) -> None:
    """Refuse billable ``seconds`` that are more than the ``duration`` of the whole call, ringing included.

    Both are seconds, or ``hh:mm:ss``; nothing is compared where one of them is neither. ``names``: those of the two
    columns, for the message. Raises ``BadField``.
    """
    billable, whole = _span(seconds), _span(duration)
    if whole is not None and billable is not None and billable > whole:
        raise BadField(
            "bad_seconds",
            f"{names[0]}: {seconds.strip()} is more than {duration.strip()}, the {names[1]} of the whole call",
        )


def _span(text: str) -> int | None:
    found = _SPAN.fullmatch(text.strip())
    return int(found[1] or 0) * 3600 + int(found[2] or 0) * 60 + int(found[3]) if found else None
