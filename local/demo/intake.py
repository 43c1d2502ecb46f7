"""Files of six systems arrive: each is previewed, what the preview suggests is ``PUT``, and the file is rated."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from local.demo.checks import Checks
from local.demo.http import Api, Json, download, wait_for
from local.demo.month import Span, batch_of, is_over
from local.demo.output import Output
from local.demo.shop import Shop, buy_number
from local.demo.systems import ACCOUNTS, File, Meant, files_of

COUNTS = ("rated", "rejected", "skipped")
Calls = Counter[tuple[object, ...]]
"""Calls with all that the tour checks of them, and how often each is there."""


class Taken(NamedTuple):
    """What became of a file: ``suggestion`` is the source that was ``PUT``, None where the preview suggests nothing;
    ``refused`` are the rows of the batch's file of refused lines."""

    file: File
    suggestion: Json | None
    batch: Json
    refused: Sequence[Json]


def take_files(operator: Api, shop: Shop, output: Output, checks: Checks, span: Span) -> None:
    """A client whose calls six systems write down, and one file of each system."""
    output.section("Files of six systems, as they write them")
    client = shop.api.post("/v1/clients", {"company": "Harbour Hotel", "balance_mode": "permissive"})
    package_id = shop.packages["Everyday"]["id"]
    for username in ACCOUNTS:
        shop.api.post("/v1/subaccounts", {"username": username, "client_id": client["id"], "package_id": package_id})
    did = str(buy_number(operator, shop, client["id"])["number"])
    output.say(
        f"{client['company']} has the sub-accounts {', '.join(ACCOUNTS)} and the number {did}. The beginning of each "
        "file is previewed. If the preview suggests a source, that is PUT as it is; then the file is dropped."
    )
    files, taken = files_of(did, _opening(span)), []
    for number, file in enumerate(files, 1):
        output.progress(f"{number} of {len(files)}: {file.kind} is previewed and rated")
        taken.append(_take(shop, checks, client, file, span))
    output.end_progress()
    _show(output, taken)


def _opening(span: Span) -> datetime:
    """Nine in the morning of the month's first day or, while that is to come, its midnight. Clocks are not changed in
    the hour after either, so a wall clock without an offset means one instant."""
    nine = span.first.replace(hour=9)
    return nine if nine + timedelta(hours=1) <= span.last else span.first


def _take(shop: Shop, checks: Checks, client: Json, file: File, span: Span) -> Taken:
    """Preview a file, ``PUT`` what is suggested, preview again, drop the file, and compare with what it means."""
    sample = {"text": file.data.decode(), "filename": file.filename}
    preview = shop.api.post("/v1/cdr-preview", sample)
    suggestion: Json | None = preview["suggestion"]
    declared = sorted((suggestion or {}).keys() - {"id", "pattern"})
    checks.same(f"what the preview suggests for {file.kind}", declared, list(file.declared))
    if suggestion:
        shop.api.put("/v1/cdr-sources", suggestion)
        preview = shop.api.post("/v1/cdr-preview", sample)
    before = _calls(shop, client, span)
    batch = _rated(shop, shop.api.upload(file.data, kind="cdr", filename=file.filename))
    expected = {"rated": len(file.calls), "rejected": len(file.refused), "skipped": file.skipped}
    for name in COUNTS:
        checks.same(f"{name} of {file.kind}", batch[name], expected[name])
        checks.same(f"{name} in the preview of {file.kind}", preview[name], expected[name])
    _same_calls(checks, file, _calls(shop, client, span) - before)
    revenue = sum((Decimal(call.amount) for call in file.calls), Decimal(0))
    checks.same(f"the revenue of {file.kind}", Decimal(batch["revenue"]), revenue)
    refused = _refused(batch)
    checks.same(f"the refused lines of {file.kind}", [row["reason"] for row in refused], list(file.refused))
    return Taken(file, suggestion, batch, refused)


def _same_calls(checks: Checks, file: File, found: Calls) -> None:
    """Two lists, so that a difference names the calls that are wrong and no others."""
    meant = Counter(map(_meant, file.calls))
    checks.same(f"what is rated beside the calls of {file.kind}", sorted((found - meant).elements()), [])
    checks.same(f"what is not rated of the calls of {file.kind}", sorted((meant - found).elements()), [])


def _rated(shop: Shop, key: str) -> Json:
    """The batch of a file, once it is over."""

    def look() -> Json | None:
        batch = batch_of(shop, key)
        return batch if batch and is_over(batch) else None

    return wait_for("the file to be rated", look)


def _calls(shop: Shop, client: Json, span: Span) -> Calls:
    """All calls of the client in this month, as the report of calls has them."""
    shown = ("start", "direction", "account", "to", "disposition", "seconds", "amount")
    listed = shop.api.every("/v1/reports/calls", client_id=client["id"], **span.days)
    return Counter(tuple(call[name] for name in shown) for call in listed)


def _meant(call: Meant) -> tuple[object, ...]:
    """A call of a file as ``_calls`` has it."""
    start = call.start.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (start, call.direction, call.account, call.to, call.disposition, call.seconds, call.amount)


def _refused(batch: Json) -> list[Json]:
    if not batch["rejected"]:
        return []
    return list(csv.DictReader(io.StringIO(download(batch["rejected_url"]).decode())))


def _show(output: Output, taken: Sequence[Taken]) -> None:
    """A row for each file; then each source that was suggested, and each refused line."""
    rows = [
        [one.file.kind, one.file.shape, "a source" if one.suggestion else "nothing", *(one.batch[n] for n in COUNTS)]
        for one in taken
    ]
    output.say("")
    output.table(["file", "has", "suggested", ">rated", ">refused", ">skipped"], rows)
    for one in taken:
        if one.suggestion:
            output.say("")
            output.say(f"Suggested for {one.file.filename}, and PUT to /v1/cdr-sources:")
            output.fields({part: json.dumps(value) for part, value in one.suggestion.items()})
    output.say("")
    for one in taken:
        for row in one.refused:
            output.say(f"Refused in {one.file.filename}: line {row['line']}, {row['reason']}: {row['message']}.")
