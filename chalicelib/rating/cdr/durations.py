"""Compares the billable seconds of a call with the duration of the whole call."""

from __future__ import annotations

from chalicelib.rating.cdr import spans
from chalicelib.rating.cdr.call import BadField


def check(seconds: str, duration: str, names: tuple[str, str], seconds_format: str = spans.AUTO) -> None:
    """Refuse billable ``seconds`` that are more than the ``duration`` of the whole call, ringing included.

    Both are spelled as ``spans.read`` reads them; nothing is compared where one of them is not. ``names``: those of
    the two columns, for the message. Raises ``BadField``.
    """
    try:
        is_longer = spans.read(seconds, seconds_format) > spans.read(duration, seconds_format)
    except ValueError:
        return
    if is_longer:
        raise BadField(
            "bad_seconds",
            f"{names[0]}: {seconds.strip()} is more than {duration.strip()}, the {names[1]} of the whole call",
        )
