"""After the month: a line that contradicts a call which is rated already, and the closing of the month."""

from __future__ import annotations

import csv
import io
from datetime import UTC, timedelta

from local.demo.checks import Checks
from local.demo.http import download
from local.demo.month import Span, rate_file
from local.demo.output import Output
from local.demo.shop import Shop
from local.stack import Stack

HEADER = "call_id,start,direction,account,from,to,disposition,seconds"


def contradict(shop: Shop, output: Output, checks: Checks, span: Span) -> None:
    """A copy of a call with other seconds: it changes no balance, and is listed beside the call that was billed."""
    output.section("A line contradicts a call that is rated already")
    chosen = {"account": "acme-1", "disposition": "ANSWERED", **span.days}
    (call,) = shop.api.get("/v1/reports/calls", limit=1, **chosen)["items"]
    seconds, more = call["seconds"], call["seconds"] + 60
    names = ("call_id", "start", "direction", "account", "from", "to", "disposition")
    data = f"{HEADER}\n{','.join(str(call[name]) for name in names)},{more}\n".encode()
    batch = rate_file(shop, output, shop.api.upload(data, kind="cdr", filename="maple-calls-late.csv"))
    [row] = csv.DictReader(io.StringIO(download(batch["conflicts_url"]).decode()))
    output.say(
        f"{call['call_id']} is rated with {seconds} s; this line says {more} s. The first line counts. "
        "This one is a duplicate that conflicts, and the file that conflicts_url gives lists it:"
    )
    shown = ("line", "differs", "billed_line", "billed_start", "billed_to", "billed_seconds")
    output.table(shown, [[row[name] for name in shown]])
    for name, expected in (("rated", 0), ("duplicates", 1), ("conflicting", 1)):
        checks.same(f"{name} of the line that contradicts", batch[name], expected)
    checks.same("the revenue of the line that contradicts", batch["revenue"], "0.00")
    checks.same("the original text in the list of conflicts", data.decode().splitlines()[1] in row.values(), True)


def close_month(shop: Shop, output: Output, checks: Checks, stack: Stack, span: Span) -> None:
    """Close the present month by pretending a day of the next one; what is posted afterwards belongs to that one."""
    output.section("The month is closed")
    month = span.first.strftime("%Y-%m")
    first_of_next = (span.first + timedelta(days=32)).replace(day=1)
    third = first_of_next.replace(day=3, hour=12)
    path = f"/v1/clients/{shop.api.post('/v1/clients', {'company': 'Evergreen Salon'})['id']}"
    shop.api.post(f"{path}/payments", {"amount": "10.00", "description": "Before the closing"})
    stack.run_schedule("hourly", third.astimezone(UTC))
    shop.api.post(f"{path}/payments", {"amount": "10.00", "description": "After the closing"})
    entries = list(shop.api.every(f"{path}/ledger"))[::-1]
    output.say(
        f"The hourly schedule ran as if it were {third:%d %B}, the third day of the next month: it closes {month}, "
        "ledger by ledger. A closed month never changes, so a payment of today counts in the next:"
    )
    head = ["description", ">amount", "made in", "counts in"]
    names = ("description", "amount", "usage_month", "period")
    output.table(head, [[entry[name] for name in names] for entry in entries])
    periods = [entry["period"] for entry in entries]
    checks.same("the months of the two payments", periods, [month, first_of_next.strftime("%Y-%m")])
