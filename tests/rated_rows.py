"""One rated call as a CSV row, written field by field: what the product's writer of whole columns is compared with."""

from __future__ import annotations

from chalicelib import money, periods
from chalicelib.calls.format import RatedCall, quoted


def row_of(call: RatedCall) -> str:
    texts = (call.call_id, call.account, call.from_number, call.to_number)
    numbers = (call.seconds, call.billed_seconds, call.free_seconds)
    amounts = (money.format_amount(call.amount_e8), money.format_amount(call.cost_e8))
    shared = (call.client_id, call.package_id, call.destination, call.country, call.rule)
    return ",".join(
        (
            periods.format_instant(call.start),
            call.direction,
            call.disposition,
            *map(quoted, texts),
            *map(str, numbers),
            *amounts,
            str(call.line),
            *map(quoted, (*shared, money.format_rate(call.rate_e10), call.batch_id)),
        )
    )
