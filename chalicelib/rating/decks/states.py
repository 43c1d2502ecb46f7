"""What a carrier's words for the state of a line mean: it counts, or the carrier does not offer it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chalicelib.rating.decks.formats import LEAVE_OUT, PRICE
from chalicelib.rating.decks.titles import words_of
from chalicelib.rating.decks.writing import Question


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_OPEN = _set(
    "active open opened current unchanged nochange increase increased decrease decreased new ok yes y true 1 enabled "
    "available valid live existing pending same added changed up down actif ouvert oui nouveau activo abierto si nuevo "
    "aktiv offen ja neu"
)
_BLOCKED = _set(
    "blocked block blocking closed inactive disabled suspended deleted delete deletion removed remove discontinued "
    "barred unavailable notavailable withdrawn stopped expired ended terminated cancelled canceled bloque ferme "
    "inactif desactive suspendu supprime bloqueado cerrado inactivo desactivado suspendido eliminado gesperrt "
    "geschlossen inaktiv deaktiviert geloscht"
)
_NOT = _set("no n false 0 non nein")
"""Of a column such as ``Active``."""
_TURNED = _set("blocked closed barred suspended deleted disabled inactive gesperrt bloqueado bloque inaktiv")


def is_blocked(text: str) -> bool:
    """Whether a cell says that its line is not offered, also under a title that tells nothing."""
    return "".join(words_of(text)) in _BLOCKED


def is_state(text: str) -> bool:
    """Whether a cell holds a word for a state that is known."""
    return "".join(words_of(text)) in _BLOCKED | _OPEN


def doubts(name: str | int, title: str, words: Sequence[str]) -> list[Question]:
    """What is asked about a column of states, by its name, its title and the words that it holds.

    Below a title such as ``Blocked``, ``yes`` means that a line is not offered: no format reads such a column.
    """
    turned = bool(_TURNED.intersection(words_of(title)))
    if not turned and all(is_state(word) and not is_blocked(word) for word in words):
        return []
    message = f"the column {name} holds {', '.join(words)[:100]}: it may say that lines are not offered"
    choices: list[dict[str, Any]] = [{"blocked": each} for each in (LEAVE_OUT, PRICE)]
    return [Question("status", message, choices[turned:])]


def counts(text: str) -> bool:
    """Whether a line with this cell (blank: nothing is said) is offered. ``ValueError`` for a word that is unknown."""
    word = "".join(words_of(text))
    if not text or word in _OPEN:
        return True
    if word in _BLOCKED or word in _NOT:
        return False
    raise ValueError("is no word for a state that is known; declare blocked price to price such lines too")
