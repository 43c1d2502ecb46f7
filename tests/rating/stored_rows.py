"""Stored calls as text, one call at a time: what the columns of a batch, rendered together, are compared with."""

from __future__ import annotations

from chalicelib import money, periods
from chalicelib.calls.format import RatedCall, quoted


def row_of(call: RatedCall) -> str:
    """One call as a row of a segment, without line end."""
    texts = (call.call_id, call.account, call.from_number, call.to_number)
    numbers = (call.seconds, call.billed_seconds, call.free_seconds)
    amounts = (money.format_amount(call.amount_e8), money.format_amount(call.cost_e8))
    shared = (call.client_id, call.package_id, call.destination, call.country, call.rule)
    start, rate = periods.format_instant(call.start), money.format_rate(call.rate_e10)
    fields = (start, call.direction, call.disposition, *texts, *map(str, numbers), *amounts, str(call.line))
    return ",".join(map(quoted, (*fields, *shared, rate, call.batch_id)))
