"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.sample import DECK_SIZES

MILLION = 1_000_000
A_DAY_OF_1000 = 36
"""1,000 files over 28 days are so many a day. Each reads what the day's earlier ones wrote, so fewer cost less."""
SWITCH_LINES = 200_000
"""Lines of the files in other formats than Forfait's own."""
FULL_SIZE = "a run this small is not what the bar is about; --full judges it"


@dataclass(frozen=True)
class Plan:
    """How much is measured. ``memory_lines`` and ``day_lines`` 0: the long runs for memory are left out."""

    rounds: int = 3
    deck: int = 100_000
    core_lines: int = MILLION
    decks: tuple[int, ...] = DECK_SIZES
    sizes: tuple[int, ...] = (1_000, 10_000, 100_000, MILLION)
    memory_lines: int = 0
    whole_lines: tuple[int, ...] = (1_000, 100_000, MILLION)
    day_lines: int = 0
    small_files: int = 20
    small_lines: int = 1_000
    client_files: int = 288
    deck_file: int = 200_000
    cold_rounds: int = 5
    cost_lines: int = MILLION
    cost_files: int = A_DAY_OF_1000
    asked: int = 500
    import_lines: int = 20_000


QUICK = Plan()
FULL = Plan(
    sizes=(*QUICK.sizes, 10 * MILLION),
    memory_lines=10 * MILLION,
    whole_lines=(*QUICK.whole_lines, 10 * MILLION),
    day_lines=10 * MILLION,
    small_files=40,
)
SLOW_ABOVE = {"reference": 100_000, "polars": MILLION, "csv.reader": MILLION}
"""Lines beyond which the plot leaves a series out: it would take minutes, or all the memory there is."""
