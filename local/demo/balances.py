"""After the month: each client's balance, and the reseller's margin."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from local.demo.checks import Checks
from local.demo.http import Json
from local.demo.month import Span
from local.demo.output import Output, cents, count
from local.demo.shop import Shop

GROUPS = {"call_usage": "calls", "did_setup": "numbers", "did_monthly": "numbers", "package_setup": "set-up fees"}
"""How kinds of entries are shown."""

Sums = dict[str, Decimal]


def show_balances(shop: Shop, output: Output, checks: Checks, batch: Json, span: Span) -> Sums:
    """Print each client's balance; return what all clients were charged, by group, as positive amounts."""
    output.section("What each client has")
    rows, charged = [], defaultdict(Decimal, {"calls": Decimal(0)})
    for client_id in shop.clients:
        client = shop.api.get(f"/v1/clients/{client_id}")
        sums = _by_kind(shop.api.every(f"/v1/clients/{client_id}/ledger"))
        balance = Decimal(client["balance"])
        _check_client(shop, checks, client, sums, span)
        fees = sum((-amount for kind, amount in sums.items() if kind not in ("payment", "call_usage")), Decimal(0))
        calls = -sums["call_usage"]
        rows.append(
            [client["company"], client["balance_mode"]]
            + [cents(amount) for amount in (sums["payment"], fees, calls, balance)]
            + [client["service"]]
        )
        for kind, group in GROUPS.items():
            charged[group] -= sums[kind]
    checks.same("the calls of all clients", charged["calls"], Decimal(batch["revenue"]))
    output.table(["client", "mode", ">paid in", ">fees", ">calls", ">balance", "service"], rows)
    output.say("")
    output.say(
        "Amounts are shown rounded half-up to cents and kept to 8 decimals. Every balance is the sum of its ledger. A "
        "strict client is suspended once its balance is gone; a permissive one only beyond its credit limit."
    )
    _show_free_minutes(shop, output, checks, span)
    return charged


def _show_free_minutes(shop: Shop, output: Output, checks: Checks, span: Span) -> None:
    """Which calls the free minutes of the second package paid for."""
    package = shop.packages["Canada 1000"]
    client = next(client for client in shop.clients.values() if client["company"] == "Boreal Travel")
    chosen = {"client_id": client["id"], "billing": "free", "disposition": "ANSWERED", **span.days}
    free = shop.api.get("/v1/reports/calls", limit=1, **chosen)["totals"]
    seconds = int(free["billed_seconds"])
    checks.same("free seconds beyond those of the package", max(0, seconds - 60 * package["free_minutes"]), 0)
    output.say("")
    output.say(
        f"{count(free['calls'])} calls of {client['company']} cost nothing: their {count(seconds // 60)} minutes are "
        f"among the {count(package['free_minutes'])} free ones of {package['name']}."
    )


def _by_kind(entries: Iterable[Json]) -> Sums:
    sums: Sums = defaultdict(Decimal)
    for entry in entries:
        sums[entry["kind"]] += Decimal(entry["amount"])
    return sums


def _check_client(shop: Shop, checks: Checks, client: Json, sums: Sums, span: Span) -> None:
    name, balance = client["company"], Decimal(client["balance"])
    checks.same(f"the balance of {name}", balance, sum(sums.values(), Decimal(0)))
    report = shop.api.get("/v1/reports/calls", limit=1, client_id=client["id"], **span.days)
    checks.same(f"the calls of {name}", -sums["call_usage"], Decimal(report["totals"]["amount"]))
    if client["balance_mode"] == "strict":
        suspended = balance <= 0
    else:
        suspended = client["credit_limit"] is not None and balance < -Decimal(client["credit_limit"])
    checks.same(f"the service of {name}", client["service"], "suspended" if suspended else "active")


def show_margin(shop: Shop, output: Output, checks: Checks, batch: Json, span: Span, charged: Sums) -> None:
    """Print what the reseller owes the operator, and its margin."""
    output.section("What the reseller has earned")
    owed: Sums = defaultdict(Decimal)
    sums = _by_kind(shop.api.every("/v1/account/ledger"))
    for kind, amount in sums.items():
        owed[GROUPS[kind]] -= amount
    totals = shop.api.get("/v1/reports/calls", limit=1, **span.days)["totals"]
    checks.same("the calls in the report", totals["calls"], batch["rated"])
    checks.same("the revenue in the report", totals["amount"], batch["revenue"])
    checks.same("the cost in the report", totals["cost"], batch["cost"])
    checks.same("the cost of calls in the reseller's ledger", owed["calls"], Decimal(batch["cost"]))
    account = Decimal(shop.api.get("/v1/account")["balance"])
    checks.same("the reseller's balance", account, sum(sums.values(), Decimal(0)))
    groups = list(dict.fromkeys(GROUPS.values()))
    rows = [_margin_row(group, charged[group], owed[group]) for group in groups]
    rows.append(_margin_row("together", sum(charged.values(), Decimal(0)), sum(owed.values(), Decimal(0))))
    output.table(["", ">revenue", ">cost", ">margin", ">of revenue"], rows)


def _margin_row(name: str, revenue: Decimal, cost: Decimal) -> list[str]:
    margin = revenue - cost
    percent = f"{cents(100 * margin / revenue)} %" if revenue else "-"
    return [name, cents(revenue), cents(cost), cents(margin), percent]
