"""The sections of the table: each measures one thing and returns its rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from statistics import median, quantiles
from typing import Any

from benchmarks import authorize, baselines, cold, core, cost, decks, engines, importing, machine, whole
from benchmarks.plan import A_DAY_OF_1000, FULL_SIZE, MILLION, Plan
from benchmarks.plot import Point
from benchmarks.sample import MONTHS_BACK, Samples, Span, month_back
from benchmarks.table import JUST_SHOWN, NOT_JUDGED, Row, judged, not_yet, seconds
from chalicelib import money

Measures = list[dict[str, Any]]


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
    return rows + (_day_rows(samples, plan) if plan.day_lines else [])


def _day_rows(samples: Samples, plan: Plan) -> list[Row]:
    """One client makes all the calls, of one day."""
    file = whole.one_day(samples, plan.day_lines // MILLION)
    with whole.bench(samples, plan.deck) as on:
        wall, peak = on.rate(file, "one-day.csv", 0.1).from_end, on.worker_mb()
    file.unlink()
    rows = [Row("whole", f"{plan.day_lines:,} lines of one client and day", seconds(wall), wall)]
    if peak is not None:
        row = Row("whole", "  memory of the rating process", f"{peak:,.0f} MB", peak, "<= 512 MB")
        rows.append(replace(row, verdict=judged(peak, 512)))
    return rows


def _whole_rows(on: whole.Bench, samples: Samples, plan: Plan, lines: int, rounds: int, engine: str) -> list[Row]:
    taken, ratios, cpu_ratios = list[dict[str, Any]](), list[float](), list[float]()
    peak: float | None = None
    exact: Row | None = None
    months = MONTHS_BACK[:rounds] if rounds > 1 else (0,)
    for back in months:
        taken.append(on.one_batch(lines, back))
        peak = peak or on.worker_mb()
        exact = exact or _exact(on, plan, lines, taken[-1]["batch"], month_back(back) if back else None)
        if rounds > 1:
            output = on.output_of(taken[-1]["batch"]["id"], samples.folder / "output.csv")
            packed = baselines.measure("gzip -1", output)
            rated = core.measure(engine, samples, lines, plan.deck)
            ratios.append(taken[-1]["wall"] / (rated["wall"] + packed["wall"]))
            cpu_ratios.append(taken[-1]["cpu"] / (rated["cpu"] + packed["cpu"]))
            output.unlink()
    wall, cpu = machine.middle(taken, "wall"), machine.middle(taken, "cpu")
    what = f"{lines:,} lines, {samples.world.clients} clients"
    figure = f"{seconds(wall)} ({lines / wall:,.0f} lines/s)"
    row = Row("whole", what, figure, wall)
    if ratios:
        times, big = median(ratios), lines >= MILLION
        against, verdict = f"{times:.1f} x (core + gzip -1)", judged(times, 2) if big else NOT_JUDGED
        row = Row("whole", what, figure, wall, "<= 2 x (core + gzip -1)", against, verdict, "" if big else FULL_SIZE)
    if peak is not None:
        row = replace(row, points=(Point("whole batch, rating process", lines, cpu, peak),))
    ratio = f"{median(cpu_ratios):.1f} x (core + gzip -1)" if cpu_ratios else ""
    rows = [
        row,
        Row("whole", f"  of it the rating process, {lines:,} lines", f"{seconds(cpu)} CPU", cpu, against=ratio),
    ]
    if peak is not None:
        bar, verdict = ("<= 512 MB", judged(peak, 512)) if lines >= 10 * MILLION else ("", JUST_SHOWN)
        what = f"memory of the rating process, {lines:,} lines"
        rows.append(Row("whole", what, f"{peak:,.0f} MB", peak, bar, verdict=verdict))
    return [*rows, exact] if exact else rows


def _exact(on: whole.Bench, plan: Plan, lines: int, batch: dict[str, Any], span: Span | None) -> Row:
    """The ledgers beside what the reference engine, which knows no ledger, comes to on the same file."""
    reference, owed = core.measure("reference", on.samples, lines, plan.deck, span), on.charged()
    if owed != reference["amounts"] or money.parse_amount(batch["cost"]) != reference["cost_e8"]:
        raise RuntimeError(f"the ledgers of {lines:,} lines are not what the reference engine comes to: {owed}")
    total = money.format_amount(sum(owed.values()))
    what = f"ledgers of {len(owed)} clients beside the reference's sums, {lines:,} lines"
    return Row("whole", what, f"equal: {total}", bar="equal", verdict=judged(0, 0))


def small_files(samples: Samples, plan: Plan) -> list[Row]:
    """Files of five minutes, one after another: of all clients, and of one client through a day."""
    with whole.bench(samples, plan.deck) as on:
        whole.small_files(on, 1, plan.small_lines, one_client=False)  # the first finds everything cold
        every, worked = (
            taken[1:] for taken in whole.small_files(on, plan.small_files + 1, plan.small_lines, one_client=False)
        )
        one, _ = whole.small_files(on, plan.client_files, plan.small_lines, one_client=True)
    each = f"{plan.small_lines:,} lines"
    some = max(1, min(5, plan.client_files // 4))
    first, last = median(one[:some]), median(one[-some:])
    many = plan.client_files >= 288
    return [
        _p95_row(f"{each}, all clients: p95 of {len(every)} files", every, 2),
        _p95_row("  to the end of what follows (compaction)", worked),
        _p95_row(f"{each}, one client: p95 of {len(one)} files", one, 2),
        Row("small", f"{len(one)} files a day of one client: last to first", f"{last / first:.1f} x", last / first,
            "<= 3 x the first", f"{seconds(first)} -> {seconds(last)}", judged(last / first, 3) if many else NOT_JUDGED,
            f"medians of the first and last {some}" + ("" if many else "; " + FULL_SIZE)),
    ]  # fmt: skip


def _p95_row(what: str, taken: list[float], most: float | None = None) -> Row:
    p95 = whole.percentile_95(taken)
    row = Row("small", what, seconds(p95), p95, against=f"median {seconds(median(taken))}")
    return row if most is None else replace(row, bar=f"<= {most} s", verdict=judged(p95, most))


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
    scaled_note = f"{note}; scaled up from {plan.cost_files} files of one day, to 1,000 files at so many a day"
    return rows + _cost_rows(what, bill, counted, 0.40, plan.cost_files >= A_DAY_OF_1000, scaled_note)


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
    text = ", ".join(f"p{at} {cuts[at - 1] * 1000:.1f} ms" for at in (50, 95, 99))
    return text, cuts[98]


def imports(samples: Samples, plan: Plan) -> list[Row]:
    """The largest import of clients there may be."""
    return importing.rows(plan.import_lines)


SECTIONS: dict[str, Callable[[Samples, Plan], list[Row]]] = {
    "core": engines.rating_core,
    "sizes": engines.sizes,
    "whole": whole_batch,
    "small": small_files,
    "decks": decks.rows,
    "start": stack_starts,
    "cold": cold_starts,
    "cost": aws_cost,
    "authorize": authorizations,
    "import": imports,
}
