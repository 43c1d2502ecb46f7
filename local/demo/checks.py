"""Every figure that the tour shows is compared with another way to it; one that differs fails the tour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Checks:
    """What was compared so far; ``wrong`` has a sentence for each difference."""

    made: int = 0
    wrong: list[str] = field(default_factory=list)

    def same(self, what: str, found: object, expected: object) -> None:
        """Demand that ``found`` is ``expected``; a difference is noted, and the tour goes on to show all of them."""
        self.made += 1
        if found != expected:
            self.wrong.append(f"{what} is {found}, but {expected} was expected")

    def report(self) -> Sequence[str]:
        """The differences, a sentence each."""
        return [f"WRONG: {sentence}." for sentence in self.wrong]
