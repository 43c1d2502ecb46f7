"""A number is the same number in a CDR file, in an authorization and in a quote."""

from __future__ import annotations

from typing import Any

import pytest
from builders import World, csv_file, line

TEXTS = (
    "+442079460123", "442079460123", "+44(0)2079460123", "2125550100", " 2125550100", "912125550100", "82125550100",
    "121255501000", "5550100", "011442079460123", "18005550100", "502", " 502", "447", "411", "911", "sip:911@x", "*97",
    "5145550177", "100-200", "bob", "s", "nonsense!", "sip:bob@x",
)  # fmt: skip
"""What a switch may write as the number called."""
ACCOUNTS = ("bob", "5145550177", "100-200")
ONLY_IN_A_QUERY = ("442079460123", "912125550100", "82125550100", "18005550100", "121255501000")
"""Read in a quote, where the + may be lost, and nowhere else."""


def in_a_file(world: World, text: str) -> str | None:
    """The number as a rated call has it; ``None`` where the line is refused."""
    from chalicelib.calls import index
    from chalicelib.calls.store import segments_of

    batch = world.rate(csv_file(line(f"id-{text}-1", to=f'"{text}"')))
    if batch.rejected:
        return None
    calls = [call for each in segments_of(world.clients["alice"], "0", "9") for call in index.read(each)]
    return next(call.to_number for call in calls if call.call_id == f"id-{text}-1")


@pytest.mark.parametrize("home", ["US", "GB"])
def test_a_number_is_the_same_in_a_file_an_authorization_and_a_quote(world: World, home: str) -> None:
    from chalicelib.accounts.ledger.posting import get_reseller
    from chalicelib.accounts.service import term_versions
    from chalicelib.rating.authorizations import payers
    from chalicelib.rating.pricing import loading, quotes

    reseller: Any = get_reseller(world.reseller_id)
    reseller.update(actions=[type(reseller).home_country.set(home)])
    for name in ACCOUNTS[1:]:
        world.assign(f"SUB#{name}", client_id=world.clients["bob"], package_id="p1")
    book = loading.newest_rate_book(get_reseller(world.reseller_id))
    version = term_versions.head_of(world.reseller_id).version
    for text in TEXTS:
        number = in_a_file(world, text)
        payer = payers.of_outbound(book, world.reseller_id, version, world.now, "alice", text)
        assert (payer.number if payer.terms else None) == number, text
        try:
            quoted: str | None = quotes.called(text, book.plan)
        except ValueError:
            quoted = None
        if text[:1] != " " and text not in ONLY_IN_A_QUERY and (number or quoted):
            # A number without a rate is refused in a file, and read in a quote.
            assert quoted == number or book.outbound("p1", world.now, str(quoted)) is None, text


def test_in_a_query_a_plus_may_be_a_blank_or_left_out_if_the_number_is_long_enough(world: World) -> None:
    from chalicelib.dialling import DialPlan
    from chalicelib.rating.pricing.quotes import called

    plan = DialPlan("US")
    assert {called(text, plan) for text in ("+442079460123", " 442079460123", "442079460123")} == {"+442079460123"}
    assert called(" sip:911@x", plan) == "911" and called(" 502", plan) == "502"
    for text in ("5550100", "121255501000", "x"):
        with pytest.raises(ValueError, match="must be a phone number"):
            called(text, plan)
