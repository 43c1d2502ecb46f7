"""The keys of stored items never change: an item must be found by every later release. Those of accounts: see there."""

from __future__ import annotations

import pytest

from chalicelib.aws.answers import Answer
from chalicelib.aws.items import Key
from chalicelib.aws.transactions import Event
from chalicelib.calls.store import Emptied, Segment
from chalicelib.notices.store import Delivery, Due, Webhook, Wishes
from chalicelib.outbox import OutboxItem
from chalicelib.payments.store import (
    Booked,
    Deposit,
    Health,
    Invoice,
    IpnEndpoint,
    Message,
    Review,
    Settings,
    Transaction,
)
from chalicelib.rating.authorizations.store import Hold, HoldsHead
from chalicelib.rating.batches.store import Batch, BatchPointer, CdrSource
from chalicelib.rating.decks.store import DeckDrop, DeckHead, DeckUpload, DeckVersion
from chalicelib.rating.nightly.store import SweepPlace, Verified
from chalicelib.rating.pricing.store import CustomRateItem
from chalicelib.web.limits import Counted


@pytest.mark.parametrize(
    ("key", "stored"),
    [
        (Answer.key("r/", "create_client", "k"), "IDEM#r/ / create_client#k"),
        (Counted.key("k", 29_000_000), "RATE#k / 29000000"),
        (Event.key("r", 7, "e"), "E#r / 000000000007#e"),
        (Event.of_owner("r"), "E#r / "),
        (OutboxItem.key("000000000007#e", "r"), "OUTBOX / 000000000007#e#r"),
        (OutboxItem.waiting(), "OUTBOX / "),
    ],
)
def test_keys_of_requests_and_events(key: Key, stored: str):
    assert " / ".join(key) == stored


@pytest.mark.parametrize(
    ("key", "stored"),
    [
        (Batch.key("r", "b"), "R#r / BATCH#b"),
        (Batch.of_reseller("r"), "R#r / BATCH#"),
        (BatchPointer.key("r", "01P"), "RB#r / 01P"),
        (BatchPointer.of_reseller("r"), "RB#r / "),
        (CdrSource.key("r", "s"), "R#r / CDRSOURCE#s"),
        (CdrSource.of_reseller("r"), "R#r / CDRSOURCE#"),
        (CustomRateItem.key("r", "p", "prefix", "44", 7), "T#r / RATE#p#prefix#44#000000000007"),
        (CustomRateItem.of_rate("r", "p", "prefix", "44"), "T#r / RATE#p#prefix#44#"),
        (CustomRateItem.of_package("r", "p"), "T#r / RATE#p#"),
        (CustomRateItem.of_reseller("r"), "T#r / RATE#"),
        (DeckDrop.key("2026-01-01", "value", "d"), "DECKLOG / 2026-01-01#value#d"),
        (DeckHead.key(), "DECKS / HEAD"),
        (DeckUpload.key("incoming/decks/value/d.csv"), "DECKUPLOAD / incoming/decks/value/d.csv"),
        (DeckVersion.key("value", "2026-01-01", 3), "DECKS / value#2026-01-01#000000000003"),
        (DeckVersion.of_route("value"), "DECKS / value#"),
        (Emptied.key("c", "2026-09"), "L#c / EMPTIED#2026-09"),
        (Emptied.of_client("c"), "L#c / EMPTIED#"),
        (Hold.key("c", "n"), "H#c / HOLD#n"),
        (Hold.of_client("c"), "H#c / HOLD#"),
        (HoldsHead.key("c"), "H#c / HEAD"),
        (Segment.key("c", "2026-09-10", "b", 2, "2026-09"), "L#c / SEG#2026-09-10#b#2#2026-09"),
        (SweepPlace.key(), "SWEEP / PLACE"),
        (Verified.key("r"), "R#r / VERIFIED"),
    ],
)
def test_keys_of_rating_and_calls(key: Key, stored: str):
    assert " / ".join(key) == stored


def test_a_segment_is_indexed_by_reseller_and_month():
    assert Segment.month_index_key("r", "2026-09-10") == "R#r#2026-09"


@pytest.mark.parametrize(
    ("key", "stored"),
    [
        (Booked.key("r", "live", "t", "payment"), "PP#r / BOOKED#live#t#payment"),
        (Deposit.key("r", "c", "d"), "PP#r / DEPOSIT#c#d"),
        (Deposit.of_client("r", "c"), "PP#r / DEPOSIT#c#"),
        (Health.key("r"), "PP#r / HEALTH"),
        (Invoice.key("i"), "PAY#i / PAY"),
        (IpnEndpoint.key("t"), "DOOR#t / DOOR"),
        (Message.key("r", "m"), "PP#r / MSG#m"),
        (Message.of_reseller("r"), "PP#r / MSG#"),
        (Review.key("r", "v"), "PP#r / REVIEW#v"),
        (Settings.key("r"), "PP#r / SETTINGS"),
        (Transaction.key("r", "live", "t"), "PP#r / TXN#live#t"),
        (Delivery.key("r", 7, "e", "w"), "N#r / 000000000007#e#w"),
        (Delivery.of_reseller("r"), "N#r / "),
        (Due.key(9, "e", "w"), "DUE / 000000000009#e#w"),
        (Due.by_instant(), "DUE / "),
        (Webhook.key("r", "w"), "R#r / WEBHOOK#w"),
        (Webhook.of_reseller("r"), "R#r / WEBHOOK#"),
        (Wishes.key("r"), "R#r / NOTICES"),
    ],
)
def test_keys_of_payments_and_notices(key: Key, stored: str):
    assert " / ".join(key) == stored
