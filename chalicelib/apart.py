"""Work for several owners, one after the other: an error of one does not keep the others from their turn."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

log = logging.getLogger(__name__)

_MOST_NAMED = 10


@dataclass
class Apart:
    """Collects the errors of a loop: each turn in a block of ``turn``, and ``end`` after the last one.

    ``failed`` names the turns that raised an error.
    """

    failed: list[str] = field(default_factory=list)

    @contextmanager
    def turn(self, name: str) -> Iterator[None]:
        """Any ``Exception`` of the block is logged and recorded under ``name``, and goes no further."""
        try:
            yield
        except Exception:
            log.exception("%s failed; the others go on", name)
            self.failed.append(name)

    def end(self) -> None:
        """``RuntimeError`` names the turns that failed, if any did: so the function fails, and its alarm fires."""
        if self.failed:
            more = len(self.failed) - _MOST_NAMED
            named = ", ".join(self.failed[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
            raise RuntimeError(f"failed, after the others were done: {named}; see the log")
