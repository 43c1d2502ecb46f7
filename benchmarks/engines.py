"""The engines beside the baselines: speed on one file, and time and memory from small files to large ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from benchmarks import baselines, core, machine
from benchmarks.plan import FULL_SIZE, MILLION, SLOW_ABOVE, SWITCH_LINES, Plan
from benchmarks.plot import Point
from benchmarks.sample import Samples
from benchmarks.switches import SWITCHES
from benchmarks.table import JUST_SHOWN, NOT_JUDGED, Row, judged, seconds

Measures = list[dict[str, Any]]


def rating_core(samples: Samples, plan: Plan) -> list[Row]:
    """Every engine of this version and the baselines, in turn on one file; medians, ratios by processor time."""
    file, names = samples.calls(plan.core_lines), ["csv.reader"]
    if baselines.has_polars():
        names.append("polars")
    engines = list(core.ENGINES)
    measures: list[Callable[[], dict[str, Any]]] = [
        *(lambda name=name: baselines.measure(name, file) for name in names),
        *(lambda name=name: core.measure(name, samples, plan.core_lines, plan.deck) for name in engines),
    ]
    found = dict(zip([*names, *engines], machine.alternately(plan.rounds, *measures), strict=True))
    if len({each["sums"] for name in engines for each in found[name]}) > 1:
        raise RuntimeError("two engines, or two runs of one, came to different sums")
    rows = [_baseline_row(name, found[name], plan.core_lines) for name in names]
    for name in engines:
        rows += _engine_rows(name, found, plan)
    rows += [_switch_row(switch, samples, plan) for switch in SWITCHES]
    return rows + [_deck_row(engines[-1], samples, plan, size) for size in plan.decks] + _memory_rows(samples, plan)


def _baseline_row(name: str, found: Measures, lines: int) -> Row:
    cpu = machine.middle(found, "cpu")
    return Row("core", f"baseline {name}, {lines:,} lines", f"{seconds(cpu)} CPU", cpu)


def _engine_rows(name: str, found: dict[str, Measures], plan: Plan) -> list[Row]:
    mine, lines = found[name], plan.core_lines
    small = lines < MILLION
    cpu, wall = machine.middle(mine, "cpu"), machine.middle(mine, "wall")
    figure = f"{lines / cpu:,.0f} lines/s ({seconds(cpu)} CPU, {seconds(wall)} wall)"
    to_csv = machine.ratio(mine, found["csv.reader"], "cpu")
    row = Row("core", f"engine {name}, {lines:,} lines", figure, cpu, against=f"{to_csv:.1f} x csv.reader")
    if name == "reference":
        row = replace(row, bar="<= 6 x csv.reader", verdict=judged(to_csv, 6))
    rows = [row]
    if name != "reference" and "reference" in found:
        faster = machine.ratio(found["reference"], mine, "cpu")
        rows.append(_compared(name, "as fast as reference", faster, ">= 10 x", judged(faster, least=10), small))
    if "polars" in found:
        times = machine.ratio(mine, found["polars"], "cpu")
        bar, verdict = ("<= 4 x", judged(times, 4)) if name != "reference" else ("", JUST_SHOWN)
        rows.append(_compared(name, "the time of polars", times, bar, verdict, small))
    peak = machine.middle(mine, "peak_mb")
    rows.append(Row("core", f"engine {name}, most memory, {lines:,} lines", f"{peak:,.0f} MB", peak))
    return rows


def _compared(name: str, base: str, value: float, bar: str, verdict: str, small: bool) -> Row:
    """One ratio; on a small file the deck's loading and the first use of everything outweigh the lines."""
    row = Row("core", f"engine {name}, {base}", f"{value:.1f} x", value, bar, verdict=verdict)
    return replace(row, verdict=NOT_JUDGED, note=FULL_SIZE) if bar and small else row


def _switch_row(switch: str, samples: Samples, plan: Plan) -> Row:
    """The engines in turn on the calls as a switch writes them."""
    lines, engines = min(plan.core_lines, SWITCH_LINES), ("reference", "numpy")
    measures = [lambda name=name: core.measure(name, samples, lines, plan.deck, switch=switch) for name in engines]
    slow, fast, own = machine.alternately(
        plan.rounds, *measures, lambda: core.measure("numpy", samples, lines, plan.deck)
    )
    if len({each["sums"] for each in (*slow, *fast, *own)}) > 1:
        raise RuntimeError(f"two engines, or two formats, came to different sums: {switch}")
    cpu, faster = machine.middle(fast, "cpu"), machine.ratio(slow, fast, "cpu")
    figure = f"{lines / cpu:,.0f} lines/s ({seconds(cpu)} CPU)"
    row = Row("core", f"engine numpy, {switch}, {lines:,} lines", figure, cpu, against=f"{faster:.1f} x reference")
    if not SWITCHES[switch].declares:
        return row
    times = machine.ratio(fast, own, "cpu")
    row = replace(row, against=f"{row.against}, {times:.1f} x the time of own CSV", bar="<= 2 x own CSV")
    small = lines < SWITCH_LINES
    return replace(row, verdict=NOT_JUDGED, note=FULL_SIZE) if small else replace(row, verdict=judged(times, 2))


def _deck_row(name: str, samples: Samples, plan: Plan, size: int) -> Row:
    cpu = core.measure(name, samples, min(plan.core_lines, 100_000), size)["cpu"]
    return Row("core", f"engine {name}, {size:,} prefixes, 100,000 lines", f"{seconds(cpu)} CPU", cpu)


def _memory_rows(samples: Samples, plan: Plan) -> list[Row]:
    name, bar = list(core.ENGINES)[-1], "<= 512 MB"
    if not plan.memory_lines:
        return [
            Row(
                "core",
                f"engine {name}, most memory, 10,000,000 lines",
                "-",
                bar=bar,
                verdict=NOT_JUDGED,
                note=FULL_SIZE,
            )
        ]
    found = core.measure(name, samples, plan.memory_lines, plan.deck)
    what = f"engine {name}, most memory, {plan.memory_lines:,} lines"
    return [
        Row("core", what, f"{found['peak_mb']:,.0f} MB ({seconds(found['wall'])} wall)", found["peak_mb"], bar,
            verdict=judged(found["peak_mb"], 512))
    ]  # fmt: skip


def sizes(samples: Samples, plan: Plan) -> list[Row]:
    """Processor time and memory from a thousand lines on, for the plot."""
    rows = []
    names = [*(["polars"] if baselines.has_polars() else []), *core.ENGINES]
    for name in ["csv.reader", *names]:
        for lines in plan.sizes:
            if lines > SLOW_ABOVE.get(name, lines):
                continue
            found = (
                core.measure(name, samples, lines, plan.deck)
                if name in core.ENGINES
                else baselines.measure(name, samples.calls(lines))
            )
            point = Point(_SERIES[name], lines, found["cpu"], found["peak_mb"])
            figure = f"{seconds(point.seconds)} CPU, {point.megabytes:,.0f} MB"
            rows.append(Row("sizes", f"{name}, {lines:,} lines", figure, point.seconds, points=(point,)))
    return rows


_SERIES = {
    "csv.reader": "csv.reader",
    "polars": "polars, one thread",
    "reference": "reference engine",
    "numpy": "vectorised engine",
}
