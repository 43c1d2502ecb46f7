"""The sections of the table: each measures one thing and returns its rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import median, quantiles
from typing import Any

from benchmarks import authorize, baselines, cold, core, cost, machine, whole
from benchmarks.sample import DECK_SIZES, MONTHS_BACK, Samples, month_back
from benchmarks.table import JUST_SHOWN, NOT_JUDGED, Row, judged, not_yet, seconds

MILLION = 1_000_000
A_DAY_OF_1000 = 36
"""1,000 files over 28 days are so many a day. Each reads what the day's earlier ones wrote, so fewer cost less."""
FULL_SIZE = "a run this small is not what the bar is about; --full judges it"


@dataclass(frozen=True)
class Plan:
    """How much is measured. ``memory_lines`` 0: the long run for memory is left out."""

    rounds: int = 3
    deck: int = 100_000
    core_lines: int = 100_000
    decks: tuple[int, ...] = ()
    memory_lines: int = 0
    whole_lines: tuple[int, ...] = (1_000, 100_000)
    small_files: int = 10
    small_lines: int = 1_000
    client_files: int = 24
    cold_rounds: int = 5
    cost_lines: int = 100_000
    cost_files: int = 6
    asked: int = 500


QUICK = Plan()
FULL = Plan(
    core_lines=MILLION,
    decks=DECK_SIZES,
    memory_lines=10 * MILLION,
    whole_lines=(1_000, 100_000, MILLION, 10 * MILLION),
    small_files=40,
    client_files=288,
    cost_lines=MILLION,
    cost_files=A_DAY_OF_1000,
)

Measures = list[dict[str, Any]]


# --- core ---------------------------------------------------------------------------------------------------------


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


def _deck_row(name: str, samples: Samples, plan: Plan, size: int) -> Row:
    cpu = core.measure(name, samples, min(plan.core_lines, 100_000), size)["cpu"]
    return Row("core", f"engine {name}, {size:,} prefixes, 100,000 lines", f"{seconds(cpu)} CPU", cpu)


def _memory_rows(samples: Samples, plan: Plan) -> list[Row]:
    if not plan.memory_lines:
        return []
    name = list(core.ENGINES)[-1]
    found = core.measure(name, samples, plan.memory_lines, plan.deck)
    what = f"engine {name}, most memory, {plan.memory_lines:,} lines"
    return [
        Row("core", what, f"{found['peak_mb']:,.0f} MB ({seconds(found['wall'])} wall)", found["peak_mb"], "<= 512 MB",
            verdict=judged(found["peak_mb"], 512))
    ]  # fmt: skip


# --- a whole batch, small files, starts -----------------------------------------------------------------------------


def whole_batch(samples: Samples, plan: Plan) -> list[Row]:
    """One file of all clients, from its upload's end to its batch's, beside the core and gzip -1 of what it wrote."""
    engine = list(core.ENGINES)[-1]
    rows: list[Row] = []
    for lines in plan.whole_lines:
        # A stack of its own, so that the worker's memory is this file's.
        with whole.bench(samples, plan.deck) as on:
            rounds = plan.rounds if lines == min(MILLION, max(plan.whole_lines)) else 1
            rows += _whole_rows(on, samples, plan, lines, rounds, engine)
    return rows


def _whole_rows(on: whole.Bench, samples: Samples, plan: Plan, lines: int, rounds: int, engine: str) -> list[Row]:
    walls: list[float] = []
    ratios: list[float] = []
    peak: float | None = None
    for back in MONTHS_BACK[:rounds]:
        file = samples.calls(lines, month_back(back))
        taken = on.one_batch(lines, back)
        if not walls:
            peak = on.worker_mb()
        walls.append(taken["wall"])
        if rounds > 1:
            output = on.output_of(taken["batch"]["id"], samples.folder / "output.csv")
            packed = baselines.measure("gzip -1", output)
            rated = core.measure(engine, samples, lines, plan.deck)
            ratios.append(taken["wall"] / (rated["wall"] + packed["wall"]))
            output.unlink()
    wall, what = median(walls), f"{lines:,} lines, {samples.world.clients} clients, {file.stat().st_size / 1e6:.0f} MB"
    figure = f"{seconds(wall)} ({lines / wall:,.0f} lines/s)"
    rows = [Row("whole", what, figure, wall)]
    if ratios:
        times, big = median(ratios), lines >= MILLION
        against, verdict = f"{times:.1f} x (core + gzip -1)", judged(times, 2) if big else NOT_JUDGED
        rows = [Row("whole", what, figure, wall, "<= 2 x (core + gzip -1)", against, verdict, "" if big else FULL_SIZE)]
    if peak is not None:
        bar, verdict = ("<= 512 MB", judged(peak, 512)) if lines >= 10 * MILLION else ("", JUST_SHOWN)
        rows.append(
            Row(
                "whole", f"memory of the rating process, {lines:,} lines", f"{peak:,.0f} MB", peak, bar, verdict=verdict
            )
        )
    return rows


def small_files(samples: Samples, plan: Plan) -> list[Row]:
    """Files of five minutes, one after another: of all clients, and of one client through a day."""
    with whole.bench(samples, plan.deck) as on:
        whole.small_files(on, 1, plan.small_lines, one_client=False)  # the first finds everything cold
        every = whole.small_files(on, plan.small_files + 1, plan.small_lines, one_client=False)[1:]
        one = whole.small_files(on, plan.client_files, plan.small_lines, one_client=True)
    p95, each = whole.percentile_95(every), f"{plan.small_lines:,} lines"
    some = max(1, min(5, plan.client_files // 4))
    first, last = median(one[:some]), median(one[-some:])
    many = plan.client_files >= 288
    return [
        Row("small", f"{each}, all clients: p95 of {len(every)} files", seconds(p95), p95, "<= 2 s",
            f"median {seconds(median(every))}", judged(p95, 2)),
        Row("small", f"{each}, one client: p95 of {len(one)} files", seconds(whole.percentile_95(one)),
            whole.percentile_95(one), "<= 2 s", f"median {seconds(median(one))}", judged(whole.percentile_95(one), 2)),
        Row("small", f"{len(one)} files a day of one client: last to first", f"{last / first:.1f} x", last / first,
            "<= 3 x the first", f"{seconds(first)} -> {seconds(last)}", judged(last / first, 3) if many else NOT_JUDGED,
            f"medians of the first and last {some}" + ("" if many else "; " + FULL_SIZE)),
    ]  # fmt: skip


def stack_starts(samples: Samples, plan: Plan) -> list[Row]:
    """How long ``make serve`` takes to answer."""
    found = whole.starts(plan.rounds)
    return [
        Row("start", "local stack ready, new folder", seconds(found["first"]), found["first"]),
        Row("start", f"local stack ready, warm, median of {plan.rounds}", seconds(found["warm"]), found["warm"]),
    ]


# --- cold starts and cost -------------------------------------------------------------------------------------------


def cold_starts(samples: Samples, plan: Plan) -> list[Row]:
    """Importing every function's module in a fresh process."""
    with cold.unpacked() as place:
        found = cold.measure(place, plan.cold_rounds)
    note = f"imported from the working tree: {place.why}" if place.zip_bytes is None else "imported from the zip"
    base = found[cold.BOTO3]
    rows = [_import_row("baseline boto3 and one client", base, note)]
    for module in dict.fromkeys(place.entries.values()):
        names = ", ".join(sorted(name for name, entry in place.entries.items() if entry == module))
        rows.append(_import_row(names, found[module], note, base, is_api=module == "app"))
    heavy = found["app"][0]["heavy"]
    rows.append(Row("cold", "heavy modules in the API function", ", ".join(heavy) or "none", bar="none",
                    verdict=judged(len(heavy), 0)))  # fmt: skip
    if place.zip_bytes is None:
        return [*rows, not_yet("cold", "size of the zip", "< 50 MB")]
    size = place.zip_bytes / 1e6
    return [*rows, Row("cold", "size of the zip", f"{size:.1f} MB", size, "< 50 MB", verdict=judged(size, 50))]


def _import_row(what: str, found: Measures, note: str, base: Measures | None = None, is_api: bool = False) -> Row:
    wall = machine.middle(found, "wall")
    if base is None:
        return Row("cold", what, seconds(wall), wall, note=note)
    times = machine.ratio(found, base, "wall")
    row = Row("cold", what, seconds(wall), wall, against=f"{times:.1f} x boto3 and one client", note=note)
    if not is_api:
        return row
    return replace(row, bar="< 400 ms and <= 2 x boto3", verdict=judged(max(wall / 0.4, times / 2), 1))


def aws_cost(samples: Samples, plan: Plan) -> list[Row]:
    """Dollars for a million calls in one file, and in a thousand files."""
    note = (
        f"prices of {cost.PRICES_AS_OF}, us-east-1; requests counted as made; Lambda {cost.LAMBDA_GB:.2f} GB at "
        f"{cost.LAMBDA_SPEED} of this machine's speed, waiting {cost.WAIT_SECONDS['dynamodb'] * 1000:.0f} ms for "
        f"DynamoDB and {cost.WAIT_SECONDS['s3'] * 1000:.0f} ms for S3 each time"
    )
    one = cost.measure(samples, plan.cost_lines, 1, plan.deck)
    what = f"{plan.cost_lines:,} calls, one file, {samples.world.clients} clients"
    rows = _cost_rows(what, cost.bill(one), one, 0.005, plan.cost_lines >= MILLION, note)
    fewer = Samples(samples.folder.parent, replace(samples.world, clients=max(1, samples.world.clients * 5 // 8)))
    counted = cost.measure(fewer, plan.small_lines, plan.cost_files, plan.deck)
    bill, clients = cost.bill(counted).times(1_000 / plan.cost_files), fewer.world.clients
    what = f"1,000 files x {plan.small_lines:,} lines, {clients} clients"
    told = f"{note}; scaled up from {plan.cost_files} files of one day, to 1,000 files at so many a day"
    return rows + _cost_rows(what, bill, counted, 0.40, plan.cost_files >= A_DAY_OF_1000, told)


def _cost_rows(what: str, bill: cost.Bill, counted: dict[str, Any], most: float, big: bool, note: str) -> list[Row]:
    parts = {"DynamoDB": bill.dynamodb, "S3": bill.s3, "Lambda": bill.compute, "SQS": bill.sqs}
    verdict = judged(bill.total, most) if big else NOT_JUDGED
    requests = f"{counted['wru']:,} WRU, {counted['rru']:,} RRU, {sum(counted['calls'].values()):,} requests"
    return [
        Row("cost", what, f"${bill.total:.4f}", bill.total, f"<= ${most}", requests, verdict, note),
        *(Row("cost", f"  of it {name}", f"${part:.4f}", part) for name, part in parts.items()),
    ]


def authorizations(samples: Samples, plan: Plan) -> list[Row]:
    """How long it takes to say whether a call may start, everything warm: our processor time, and by the clock."""
    note = "service: the room's function; handler: with key, shapes and gateway; held: with reserve_seconds and call_id"
    rows = []
    for what, taken in authorize.measure(samples, plan.asked, plan.deck).items():
        (cpu, p99), (wall, last) = (_percentiles(taken[name]) for name in ("cpu", "wall"))
        rows.append(Row("authorize", f"{what}, compute", cpu, p99, "p99 < 20 ms", "", judged(p99, 0.020), note))
        rows.append(Row("authorize", "  with the emulator's answers", wall, last))
    return rows


def _percentiles(taken: list[float]) -> tuple[str, float]:
    cuts = quantiles(taken, n=100, method="inclusive")
    told = ", ".join(f"p{at} {cuts[at - 1] * 1000:.1f} ms" for at in (50, 95, 99))
    return told, cuts[98]


SECTIONS: dict[str, Callable[[Samples, Plan], list[Row]]] = {
    "core": rating_core,
    "whole": whole_batch,
    "small": small_files,
    "start": stack_starts,
    "cold": cold_starts,
    "cost": aws_cost,
    "authorize": authorizations,
}
