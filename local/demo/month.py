"""The second half of the tour: a month of calls is rated, and read back."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from local.demo import sample
from local.demo.checks import Checks
from local.demo.http import Json, download, wait_for
from local.demo.output import Output, count
from local.demo.sample import CallFile, DeckLine
from local.demo.shop import MONTREAL, ZONE, Shop

SHOWN = 5
COUNTS = ("lines", "rated", "rejected", "duplicates", "skipped")


@dataclass(frozen=True)
class Span:
    """The reseller's present month so far; at least an hour, also when the month has just begun."""

    first: datetime
    last: datetime

    @property
    def days(self) -> dict[str, str]:
        """As the report of calls takes it."""
        return {"date_from": self.first.date().isoformat(), "date_to": self.last.date().isoformat()}

    @property
    def first_day(self) -> date:
        return self.first.date()


def this_month() -> Span:
    """Up to now, in the reseller's time zone."""
    now = datetime.now(ZoneInfo(ZONE))
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return Span(first, max(now, first + timedelta(hours=1)))


def make_calls(shop: Shop, deck: Sequence[DeckLine], span: Span) -> CallFile:
    """The file of this month's calls."""
    prefixes = [line.prefix for line in deck if line.match == "prefix"]
    return sample.call_file(list(shop.package_of), shop.did, prefixes, span.first, span.last)


def rate_calls(shop: Shop, output: Output, checks: Checks, calls: CallFile) -> Json:
    """Upload the file, watch it being rated, and account for every line."""
    output.section("A file of calls arrives and is rated")
    output.say(f"maple-calls.csv: {count(calls.lines)} lines, {count(len(calls.data))} bytes, by presigned URL.")
    batch = rate_file(shop, output, shop.api.upload(calls.data, kind="cdr", filename="maple-calls.csv"))
    lines, rated, rejected, duplicates, skipped = (batch[name] for name in COUNTS)
    output.say("")
    output.say(
        f"{count(lines)} lines = {count(rated)} rated + {count(rejected)} rejected + {count(duplicates)} duplicates"
        f" + {count(skipped)} skipped"
    )
    checks.same("the batch's status", batch["status"], "done")
    checks.same("rated + rejected + duplicates + skipped", rated + rejected + duplicates + skipped, lines)
    for what, expected in zip(COUNTS, (calls.lines, calls.good, calls.bad, calls.copies, 0), strict=True):
        checks.same(f"the batch's {what}", batch[what], expected)
    checks.same("the batch's internal calls", batch["internal"], calls.internal)
    _show_refused(output, checks, batch)
    return batch


def rate_file(shop: Shop, output: Output, key: str) -> Json:
    """The batch of a file, once it is over."""
    began = datetime.now(UTC)
    output.progress("queued")

    def look() -> Json | None:
        found = batch_of(shop, key)
        if found is not None:
            read = f", {count(found['lines'])} lines so far" if found["lines"] else ""
            took = (datetime.now(UTC) - began) / timedelta(seconds=1)
            output.progress(f"{found['status']} in {took:.1f} s" if is_over(found) else f"{found['status']}{read}")
            return found if is_over(found) else None
        return None

    batch = wait_for("the file to be rated", look)
    output.end_progress()
    return batch


def batch_of(shop: Shop, key: str) -> Json | None:
    """The batch of a file as it is now; None before there is one."""
    return next((batch for batch in shop.api.every("/v1/batches") if batch["key"] == key), None)


def is_over(batch: Json) -> bool:
    return batch["status"] in ("done", "failed")


def _show_refused(output: Output, checks: Checks, batch: Json) -> None:
    """The first refused lines, out of the file of them that the batch links to."""
    text = download(batch["rejected_url"]).decode()
    refused = list(csv.DictReader(io.StringIO(text)))
    checks.same("the file of refused lines", len(refused), batch["rejected"])
    output.say("")
    output.say(f"The first {SHOWN} refused lines; all of them are in the file that rejected_url gives:")
    rows = [[count(int(row["line"])), row["reason"], row["message"]] for row in refused[:SHOWN]]
    output.table([">line", "reason", "what is wrong"], rows)
    reasons = Counter(row["reason"] for row in refused).most_common()
    output.say("")
    output.say("In all: " + ", ".join(f"{many} {reason}" for reason, many in reasons) + ".")


def send_again(shop: Shop, output: Output, checks: Checks, calls: CallFile) -> None:
    """The same calls under another file name: no client pays twice."""
    output.section("The same file comes again, under another name")
    before = _balances(shop)
    again = rate_file(shop, output, shop.api.upload(calls.data, kind="cdr", filename="maple-calls-resent.csv"))
    after = _balances(shop)
    checks.same("calls rated a second time", again["rated"], 0)
    checks.same("duplicates of the second sending", again["duplicates"], calls.good + calls.copies)
    checks.same("revenue of the second sending", again["revenue"], "0.00")
    checks.same("balances after the second sending", after, before)
    verdict = "no balance has changed" if after == before else "balances have CHANGED"
    output.say(f"{count(again['rated'])} rated, {count(again['duplicates'])} duplicates: {verdict}.")


def _balances(shop: Shop) -> dict[str, str]:
    found = {client["id"]: client["balance"] for client in shop.api.every("/v1/clients")}
    return {**found, "reseller": shop.api.get("/v1/account")["balance"]}


def newest_calls(shop: Shop, output: Output, span: Span) -> None:
    """The last calls of the month, as the report of calls shows them."""
    output.section("The newest calls")
    report = shop.api.get("/v1/reports/calls", limit=SHOWN, **span.days)
    columns = ("start", "to", "destination", "seconds", "billed_seconds", "free_seconds", "rule", "amount")
    head = ["start", "to", "destination", ">seconds", ">billed", ">free", "rule", ">amount"]
    output.table(head, [[call[name] for name in columns] for call in report["items"]])


def explain_call(shop: Shop, output: Output, checks: Checks, span: Span) -> None:
    """One call of the month, priced again by a quote for the instant of its start."""
    output.section("One of these calls, explained")
    account = "acme-1"
    chosen = {"account": account, "number_prefix": MONTREAL, "billing": "billed", **span.days}
    (call,) = shop.api.get("/v1/reports/calls", limit=1, **chosen)["items"]
    quote = shop.api.get(
        f"/v1/packages/{shop.package_of[account]}/quote", number=call["to"], seconds=call["seconds"], at=call["start"]
    )
    output.say(f"{call['start']}: {account} called {call['to']} for {call['seconds']} s and pays {call['amount']} USD.")
    output.steps(quote["steps"])
    checks.same("the call's rule", call["rule"], f"prefix:{MONTREAL}")
    checks.same("the call's amount, quoted again", quote["price"]["amount"], call["amount"])
    checks.same("the call's cost, quoted again", quote["cost"]["amount"], call["cost"])
