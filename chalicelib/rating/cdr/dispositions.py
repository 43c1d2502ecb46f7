"""How a call ended, in the words of switches and carriers."""

from __future__ import annotations

from chalicelib.calls.format import ANSWERED, BUSY, DISPOSITIONS, FAILED, NO_ANSWER

WORDS = {
    **{word: word for word in DISPOSITIONS},
    **dict.fromkeys(("ANSWER", "COMPLETED"), ANSWERED),
    **dict.fromkeys(("NOANSWER", "UNANSWERED", "NOT ANSWERED", "MISSED", "TIMEOUT", "NO USER RESPONSE"), NO_ANSWER),
    **dict.fromkeys(("CANCEL", "CANCELED", "CANCELLED", "ORIGINATOR CANCEL", "CONGESTION"), NO_ANSWER),
    **dict.fromkeys(("USER BUSY",), BUSY),
    **dict.fromkeys(("CHANUNAVAIL", "FAIL", "FAILURE", "REJECTED", "CALL REJECTED"), FAILED),
    **dict.fromkeys(("DONTCALL", "TORTURE", "INVALIDARGS", "NOT FOUND", "UNALLOCATED NUMBER"), FAILED),
}
"""Words of switches and carriers, in capitals and with blanks for ``_`` and ``-`` -> the disposition."""
UNKNOWN = "UNKNOWN"
WORDS[UNKNOWN] = FAILED


def read(text: str) -> str | None:
    """The disposition that a word means in all systems, in small or capital letters; None for other words."""
    return WORDS.get(text.strip().upper().replace("_", " ").replace("-", " "))
