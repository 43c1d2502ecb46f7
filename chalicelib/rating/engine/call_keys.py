"""The identity of many calls (``calls.identity``) as columns: kinds, call ids, and a hash of 64 bits for both."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from chalicelib.calls.identity import kind_of
from chalicelib.rating.engine import hashing
from chalicelib.rating.engine.columns import CODES, Ints, Strings
from chalicelib.rating.engine.hashing import Hashes


class Said(NamedTuple):
    """What records say about their calls, one array per fact of ``identity.COMPARED``, and where the records are.

    ``code`` (``columns.CODES``) is direction and disposition. ``batch_id`` is empty for the file that is being rated.
    """

    start: Ints
    code: Ints
    called: Strings
    seconds: Ints
    line: Ints
    batch_id: Strings


class Keys(NamedTuple):
    """Kinds and ids of some calls; ``said`` gives the rest of those of them that are asked for, by ascending place."""

    kind: Ints
    call_id: Strings
    said: Callable[[Ints], Said]


_KINDS = np.zeros(len(CODES), np.int64)
_KINDS[list(CODES.values())] = [kind_of(*pair) for pair in CODES]


@dataclass(frozen=True)
class Billed:
    """Calls that are billed already, in blocks: their ``hashes``, and their ``keys`` where those are needed."""

    hashes: Callable[[], Iterable[Hashes]]
    keys: Callable[[], Iterable[Keys]]


NOTHING = Billed(tuple, tuple)


def kinds(codes: Ints) -> Ints:
    """The kind of each call, from its code (``columns.CODES``)."""
    found: Ints = _KINDS[codes]
    return found


def hashes(kind: Ints, call_ids: Strings) -> Hashes:
    """The hash of each call's kind and id (a CSV field)."""
    return hashing.hashes(call_ids, kind)
