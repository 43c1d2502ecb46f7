"""The tour's output: headings, aligned columns, a line of progress. Plain text unless it is a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import TextIO

WIDTH = 100
_INDENT = "   "
_BOLD, _PLAIN, _CLEAR = "\033[1m", "\033[0m", "\r\033[K"


class Output:
    """Writes to ``out``; ``colour`` allows bold headings, and only a terminal gets progress in place."""

    def __init__(self, out: TextIO, *, colour: bool) -> None:
        self._out = out
        self._terminal = out.isatty()
        self._colour = colour and self._terminal
        self._sections = 0
        self._progress = ""

    def title(self, text: str) -> None:
        self._line(self._bold(text))
        self._line("=" * len(text))

    def section(self, text: str) -> None:
        """A numbered heading."""
        self._sections += 1
        self._line("")
        self._line(self._bold(f"{self._sections:>2} {text}"))

    def say(self, text: str = "") -> None:
        """A paragraph, wrapped."""
        for line in textwrap.wrap(text, WIDTH - len(_INDENT)) or [""]:
            self._line(_INDENT + line if line else "")

    def steps(self, texts: Sequence[str]) -> None:
        """A numbered list."""
        for number, text in enumerate(texts, 1):
            lead = f"{_INDENT}  {number}. "
            self._line(textwrap.fill(text, WIDTH, initial_indent=lead, subsequent_indent=" " * len(lead)))

    def table(self, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Columns as wide as they need; a ``>`` before a heading puts its column to the right."""
        cells = [[name.removeprefix(">") for name in head], *[[str(cell) for cell in row] for row in rows]]
        widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
        for row in cells:
            padded = [
                cell.rjust(width) if name.startswith(">") else cell.ljust(width)
                for cell, width, name in zip(row, widths, head, strict=True)
            ]
            self._line(_INDENT + "  ".join(padded).rstrip())

    def fields(self, texts: Mapping[str, str]) -> None:
        """Names and their texts, each text wrapped in a column of its own."""
        widest = max(map(len, texts), default=0)
        for name, text in texts.items():
            lead = f"{_INDENT}  {name.ljust(widest)}  "
            self._line(
                textwrap.fill(
                    text, WIDTH, initial_indent=lead, subsequent_indent=" " * len(lead), break_on_hyphens=False
                )
            )

    def verbatim(self, text: str) -> None:
        """A line that must not be wrapped: a command, a key."""
        self._line(f"{_INDENT}{text}")

    def progress(self, text: str) -> None:
        """Progress: replaces its line on a terminal, else writes a new line each time it changes."""
        if text == self._progress:
            return
        self._progress = text
        if self._terminal:
            self._out.write(f"{_CLEAR}{_INDENT}{text}")
            self._out.flush()
        else:
            self._line(_INDENT + text)

    def end_progress(self) -> None:
        """End the line of progress, so that the next output starts on a new line."""
        if self._terminal and self._progress:
            self._line("")
        self._progress = ""

    def _bold(self, text: str) -> str:
        return f"{_BOLD}{text}{_PLAIN}" if self._colour else text

    def _line(self, text: str) -> None:
        self._out.write(text + "\n")
        self._out.flush()


def count(number: int) -> str:
    """``12,345``"""
    return f"{number:,}"


def cents(amount: Decimal) -> str:
    """An amount for people: rounded half-up to cents, ``-1,234.50``."""
    return f"{amount.quantize(Decimal('0.01'), ROUND_HALF_UP) + 0:,}"
