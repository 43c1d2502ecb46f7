"""``python -m benchmarks``: measure, print the table, keep it in ``benchmarks/latest.json``."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import asdict
from pathlib import Path

from benchmarks import machine, plot, table
from benchmarks.plan import FULL, QUICK
from benchmarks.sample import Samples
from benchmarks.sections import SECTIONS
from benchmarks.table import Row

LATEST = Path(__file__).with_name("latest.json")
PAGE = machine.ROOT / "docs" / "performance.md"
"""The page with the table of the last full run of all sections."""
PICTURE = PAGE.with_suffix(".svg")
"""The picture of a full run; other runs write theirs beside their table."""
MEMORY_MB = 512


def main(arguments: list[str] | None = None) -> int:
    """The command line; 0 unless something could not be measured (a bar that is missed is a result, not a failure)."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the product.")
    size = parser.add_mutually_exclusive_group()
    size.add_argument(
        "--quick", action="store_true", help="up to 1,000,000 lines, about ten minutes (this is the default)"
    )
    size.add_argument("--full", action="store_true", help="10,000,000 lines too, half an hour or so; 3 GB of disk")
    parser.add_argument(
        "--only", action="append", choices=SECTIONS, metavar="NAME", help=f"one of {', '.join(SECTIONS)}"
    )
    parser.add_argument("--samples", type=Path, help="folder for the sample's files (default: in the temporary folder)")
    parser.add_argument("--out", type=Path, default=LATEST, help="where the table is kept (default: %(default)s)")
    chosen = parser.parse_args(arguments)
    plan, about = FULL if chosen.full else QUICK, machine.about()
    rows: list[Row] = []
    failed: list[str] = []
    for name in chosen.only or SECTIONS:
        began = time.monotonic()
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        try:
            rows += SECTIONS[name](Samples(chosen.samples), plan)
        except (RuntimeError, OSError) as problem:
            failed.append(f"{name} could not be measured: {problem}")
        print(f"measuring {name} took {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    machine_line = f"{about['cpu']}, {about['cores']} cores, Python {about['python']}, {about['date'][:10]}"
    print(f"{machine_line}\n\n{table.render(rows)}")
    table.write(
        chosen.out, rows, about, {"full": chosen.full, "sections": chosen.only or list(SECTIONS), **asdict(plan)}
    )
    draw(rows, machine_line, PICTURE if chosen.full else chosen.out.with_suffix(".svg"))
    if chosen.full and not (chosen.only or failed):
        PAGE.write_text(table.put(PAGE.read_text(encoding="utf-8"), rows, f"{machine_line}."), encoding="utf-8")
    print(*failed, sep="\n", end="\n" if failed else "", file=sys.stderr)
    return 1 if failed else 0


def draw(rows: list[Row], machine_line: str, picture: Path) -> None:
    """Time and memory against lines, when there is enough to draw a curve."""
    points = [point for row in rows for point in row.points]
    if len({point.lines for point in points}) > 1:
        picture.write_text(plot.svg(points, MEMORY_MB, machine_line), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
