"""One file to the ledgers: what is counted, and what is refused and why."""

from __future__ import annotations

import gzip
import io
import os
from functools import partial
from typing import Any

import faults
import pytest
from builders import csv_file, line

from chalicelib.aws import objects
from chalicelib.calls import store as call_store


def reasons(batch: Any) -> list[str]:
    """Reason codes of a batch's refused lines, read back from the file that people download."""
    import csv

    from chalicelib.rating.batches.store import rejects_key

    if not batch.has_rejects:
        return []
    rows = list(csv.DictReader(io.StringIO(objects.read(rejects_key(batch.batch_id)).decode())))
    assert all(row["message"] and row["line"] for row in rows)
    return [row["reason"] for row in rows]


def adds_up(batch: Any) -> bool:
    return batch.lines == batch.rated + batch.rejected + batch.duplicates


def test_a_file_becomes_one_entry_per_client_and_one_for_the_reseller(world):
    batch = world.rate(csv_file(line("1"), line("2", seconds=61), line("3", "bob", to="+442079460000", seconds=30)))
    assert (batch.status, batch.lines, batch.rated) == ("done", 3, 3)
    books = world.books()
    # 60 s and 66 s at 0.0052 + 20 %; 30 s at 0.02 + 20 %.
    assert books["alice"] == (-(624000 + 686400), "active", [("call_usage", -1310400, "2026-09")])
    assert books["bob"] == (-1200000, "suspended", [("call_usage", -1200000, "2026-09")])
    assert books["reseller"][0] == -(520000 + 572000 + 1000000)
    assert (batch.revenue_e8, batch.cost_e8) == (2510400, 2092000)


def test_refused_lines_come_back_with_their_reasons_and_harm_no_other_line(world):
    lines = [
        line("ok"),
        line("u", account="nobody"),
        line("n", to="+8829999999999"),
        line("s", seconds=-5),
        line("s2", seconds=86_401),
        line("w") + ",1,2,3,4",
        line("d", start="2026-13-01T00:00:00Z"),
        line("gap", start="2026-03-08T02:30:00"),
        "\x00\x00" + line("nul"),
        "x" * (1 << 20),
        line("in", account="", direction="inbound", to="+14165550000"),
    ]
    batch = world.rate(csv_file(*lines))
    assert (batch.lines, batch.rated, batch.rejected, batch.duplicates) == (11, 1, 10, 0)
    assert reasons(batch) == [
        "unknown_account",
        "no_rate",
        "bad_seconds",
        "bad_seconds",
        "bad_columns",
        "bad_start",
        "missing_hour",
        "control_character",
        "line_too_long",
        "no_owner",
    ]


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("empty", b""),
        ("header only", csv_file()),
        ("blank lines", b"\n\n  \n"),
        ("binary", bytes(range(256)) * 40),
        ("a picture", b"\xff\xd8\xff\xe0" + os.urandom(3000)),
        ("prose", b"Dear all,\nplease find attached\nthe calls; regards\n"),
        ("json", b'{"calls": [1, 2, 3]}\n'),
    ],
)
def test_a_file_that_is_no_cdr_file_is_done_with_every_line_refused(world, what, body):
    batch = world.rate(body)
    assert (batch.status, batch.rated) == ("done", 0)
    assert adds_up(batch)
    assert batch.rejected == len(reasons(batch))


def test_a_truncated_gzip_is_rated_up_to_the_break(world):
    lines = [line(f"id{n}", start=f"2026-09-10T12:{n % 60:02d}:00Z") for n in range(5000)]
    packed = gzip.compress(csv_file(*lines))
    batch = world.rate(*world.drop(packed[: len(packed) // 2], "cut.csv.gz"))
    assert batch.status == "done"
    assert adds_up(batch)
    assert 0 < batch.rated < 5000
    assert reasons(batch) == ["truncated"]
    # The whole file, dropped again, bills the rest and nothing twice.
    again = world.rate(*world.drop(packed, "whole.csv.gz"))
    assert (again.rated, again.duplicates) == (5000 - batch.rated, batch.rated)


def test_a_gzip_bomb_fails_with_a_reason_and_commits_nothing(world):
    bomb = gzip.compress(csv_file(line("1")) + b"\n" * (80 << 20))
    batch = world.rate(bomb)
    assert batch.status == "failed"
    assert "times its size" in batch.reason
    assert world.books()["alice"][0] == 0


def test_100_000_copies_of_one_call_are_billed_once(world):
    batch = world.rate(csv_file(*[line("same")] * 100_000))
    assert (batch.lines, batch.rated, batch.duplicates) == (100_000, 1, 99_999)
    assert world.books()["alice"][0] == -624000


def test_a_file_under_the_prefix_of_no_reseller_is_not_rated(aws, deck):
    from chalicelib.aws.transactions import Scope
    from chalicelib.rating.batches.rate import rate_batch

    assert rate_batch(Scope("system:test", 1), "incoming/cdr/nobody/x.csv", "v") is None


def test_a_resent_file_under_another_name_changes_nothing(world):
    body = csv_file(line("1"), line("2"), line("3", "bob"))
    world.rate(body)
    before = world.books()
    again = world.rate(body)
    assert (again.rated, again.duplicates) == (0, 3)
    after = world.books()
    assert {name: after[name] for name in after if name != "batches"} == {
        name: before[name] for name in before if name != "batches"
    }


def test_the_first_valid_line_of_a_call_counts(world):
    batch = world.rate(csv_file(line("1", seconds=-1), line("1", seconds=6), line("1", seconds=6000)))
    assert (batch.rejected, batch.rated, batch.duplicates) == (1, 1, 1)
    assert world.books()["calls of alice"][0][2] == 62400


def test_a_mended_file_rates_the_lines_refused_before(world):
    first = world.rate(csv_file(line("1"), line("2", account="carol")))
    assert (first.rated, first.rejected) == (1, 1)
    world.client("carol")
    second = world.rate(csv_file(line("1"), line("2", account="carol")))
    assert (second.rated, second.duplicates) == (1, 1)


def test_a_day_in_two_local_months_is_committed_to_both(world):
    # Toronto is four hours behind UTC: 03:00Z of the 1st is still August there, 05:00Z is September.
    batch = world.rate(csv_file(line("a", start="2026-09-01T03:00:00Z"), line("b", start="2026-09-01T05:00:00Z")))
    assert batch.rated == 2
    assert [period for _, _, period in world.books()["alice"][2]] == ["2026-08", "2026-09"]
    assert world.rate(csv_file(line("a", start="2026-09-01T03:00:00Z"))).duplicates == 1


def test_every_rated_call_names_the_batch_that_billed_it(world):
    from chalicelib.calls import index
    from chalicelib.calls.store import segments_of

    batches = [
        world.rate(csv_file(line("1"), line('"2,3"', start="2026-09-11T12:00:00Z"))),
        world.rate(csv_file(line("4"))),
    ]
    found = [call for each in segments_of(world.clients["alice"], "0", "9") for call in index.read(each)]
    named = {call.call_id: call.batch_id for call in found}
    assert named == {"1": batches[0].batch_id, "2,3": batches[0].batch_id, "4": batches[1].batch_id}


def test_unanswered_calls_cost_nothing_even_without_a_rate(world):
    batch = world.rate(
        csv_file(line("1", disposition="BUSY", seconds=0), line("2", to="+8829999999999", disposition="FAILED"))
    )
    assert (batch.rated, batch.revenue_e8, batch.cost_e8) == (2, 0, 0)


def test_an_answered_and_an_unanswered_leg_of_one_call_id_are_two_calls(world):
    batch = world.rate(csv_file(line("1", disposition="NO ANSWER", seconds=0), line("1")))
    assert (batch.rated, batch.duplicates) == (2, 0)


def test_calls_are_charged_to_the_client_that_had_the_number_at_their_start(world):
    world.assign("DID#+14165550111", client_id=world.clients["alice"], rate_e10=50_000_000, cost_e10=10_000_000)
    world.assign("DID#+14165550111", client_id=world.clients["bob"], rate_e10=50_000_000, effective_from=1_789_041_600)
    told = {"direction": "inbound", "to": "+14165550111"}
    batch = world.rate(
        csv_file(
            line("before", "", 60, start="2026-09-10T11:59:59Z", **told),
            line("after", "", 60, start="2026-09-10T12:00:00Z", **told),
        )
    )
    assert batch.rated == 2
    assert [call[1] for call in world.books()["calls of alice"]] == ["before"]
    assert [call[1] for call in world.books()["calls of bob"]] == ["after"]


def test_free_minutes_are_spent_in_order_of_start_and_never_twice(world):
    world.package("free", free_minutes=2)
    world.client("dave", "free")
    first = world.rate(
        csv_file(
            line("b", "dave", 60, start="2026-09-10T13:00:00Z"),
            line("a", "dave", 66, start="2026-09-10T12:00:00Z"),
            line("c", "dave", 60, start="2026-09-10T14:00:00Z"),
        )
    )
    # 120 s: 66 for the first call, 54 of the second's 60, none for the third.
    free = [call[3] for call in world.books()["calls of dave"]]
    assert free == [66, 54, 0]
    assert first.revenue_e8 == 62400 + 624000
    late = world.rate(csv_file(line("0", "dave", 60, start="2026-09-10T11:00:00Z")))
    assert late.revenue_e8 == 624000


def test_a_closed_month_takes_no_more_entries_and_late_calls_go_to_the_next(world):
    from chalicelib.accounts.ledger import months, posting

    world.rate(csv_file(line("1", start="2026-08-10T12:00:00Z")))
    months.close(world.scope, partial(posting.get_client, world.reseller_id, world.clients["alice"]), "2026-08")
    world.rate(csv_file(line("2", start="2026-08-11T12:00:00Z")))
    assert [period for _, _, period in world.books()["alice"][2]] == ["2026-08", "2026-09"]


def test_another_generation_of_terms_does_not_touch_a_batch_that_has_begun(world):
    from chalicelib.rating.batches import rate as batch_rate

    dropped = world.drop(csv_file(line("1"), line("2", "bob")))
    with faults.counted() as made:
        world.rate(*world.drop(csv_file(line("x", start="2026-07-01T00:00:00Z"))))
    with pytest.raises(faults.Killed), faults.killed_at(len(made) // 2, answered=True):
        world.rate(*dropped)
    world.package("p1", markup_percent_e4=9_000_000)
    batch = batch_rate.rate_batch(world.scope, *dropped)
    assert batch.revenue_e8 == 2 * 624000


def test_an_owner_cannot_be_moved_while_a_batch_is_open(world):
    from chalicelib.accounts.service import term_versions
    from chalicelib.errors import Conflict

    dropped = world.drop(csv_file(line("1")))
    with pytest.raises(faults.Killed), faults.killed_at(10, answered=True):
        world.rate(*dropped)
    with pytest.raises(Conflict, match="being rated"):
        term_versions.next_version(term_versions.head_of(world.reseller_id), moving=True)
    world.rate(*dropped)
    term_versions.next_version(term_versions.head_of(world.reseller_id), moving=True)


def test_a_file_whose_message_was_lost_is_announced_again_and_no_other(world):
    import json

    import boto3

    from chalicelib.config import settings
    from chalicelib.rating import s3_events
    from chalicelib.rating.nightly.recover import announce_unrated

    rated, lost = world.drop(csv_file(line("1"))), world.drop(csv_file(line("2")), "lost and found+é.csv")
    world.rate(*rated)
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName=settings.queue)["QueueUrl"]
    sqs.purge_queue(QueueUrl=url)
    assert announce_unrated(world.scope.now) >= 1
    told = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        told += [arrival for message in messages for arrival in s3_events.read(message["Body"], settings.bucket)]
    mine = [arrival for arrival in told if world.reseller_id in arrival.key]
    assert [tuple(arrival) for arrival in mine] == [lost]
    assert json.loads(messages or "[]") == []


def test_the_nightly_check_reads_only_what_is_new_and_reports_a_segment_that_was_changed(world):
    from chalicelib.accounts.store.owners import ResellerPointer
    from chalicelib.aws.transactions import Event
    from chalicelib.rating.nightly.reconcile import nightly

    ResellerPointer("RESELLERS", world.reseller_id).save()
    # Longer than what takes its place, whatever the random ids are packed to: else that would be cut short.
    world.rate(csv_file(line("1-of-0123456789abcdefghijklmnopqrstuvwxyz")))
    assert [
        one for one in nightly(world.scope, reseller_ids=[world.reseller_id]) if one.owner_id in world.clients.values()
    ] == []
    segment = call_store.segments_of(world.clients["alice"], "0", "9")[0]
    good = objects.read(segment.object_key)
    world.rate(csv_file(line("2")))
    keys = {found.object_key for found in call_store.segments_of(world.clients["alice"], "0", "9")}
    (other,) = keys - {segment.object_key}
    objects.write(segment.object_key, objects.read(other))
    found = [
        one.what
        for one in nightly(world.scope, reseller_ids=[world.reseller_id])
        if one.owner_id == world.clients["alice"]
    ]
    assert any("calls billed twice" in what for what in found)
    assert [row.kind for row in Event.under(*Event.of_owner(world.reseller_id))] == ["books.differ"]
    objects.write(segment.object_key, good)


def test_the_lake_holds_committed_calls_only_each_once(world):
    from chalicelib.accounts.store.owners import ResellerPointer
    from chalicelib.accounts.store.terms import TermsHead
    from chalicelib.aws.transactions import Scope
    from chalicelib.calls.format import decode
    from chalicelib.rating.nightly.reconcile import nightly

    ResellerPointer("RESELLERS", world.reseller_id).save()
    with pytest.raises(faults.Killed), faults.killed_at(20, answered=True):
        world.rate(csv_file(*[line(f"lost-{n}") for n in range(30)]))
    head = TermsHead.get(f"T#{world.reseller_id}", "HEAD")
    head.update(actions=[TermsHead.open_batches.remove()])
    world.rate(csv_file(line("1"), line("2", start="2026-09-11T12:00:00Z"), line("3", start="2026-08-11T12:00:00Z")))
    nightly(world.scope, reseller_ids=[world.reseller_id])
    prefix = f"lake/reseller={world.reseller_id}/"
    keys = [key for key, _ in objects.versions(prefix)]
    client = world.clients["alice"]
    assert sorted(keys) == [f"{prefix}client={client}/month=2026-0{n}/calls.csv.gz" for n in (8, 9)]
    found = [call for key in keys for call in decode(objects.read(key))]
    assert sorted(call.call_id for call in found) == sorted(call[1] for call in world.books()["calls of alice"])
    # A night later nothing is new, and nothing is written again.
    nightly(Scope("system:test", world.scope.now + 86_400), reseller_ids=[world.reseller_id])
    written = len(list(objects.versions(prefix)))
    nightly(Scope("system:test", world.scope.now + 2 * 86_400), reseller_ids=[world.reseller_id])
    assert len(list(objects.versions(prefix))) == written


def test_batches_are_listed_in_the_order_of_their_making_even_within_a_second(world):
    import time

    from chalicelib.rating.batches import queries

    made = []
    for number in range(6):
        made.append(world.rate(csv_file(line(str(number)))).batch_id)
        time.sleep(0.002)
    listed = queries.list_batches(world.reseller_id, None, 4)
    assert [batch.batch_id for batch in listed] == made[:1:-1]
    rest = queries.list_batches(world.reseller_id, queries.place_of(listed[-1]), 4)
    assert [batch.batch_id for batch in rest] == made[1::-1]


def test_progress_is_reported_at_first_and_when_the_clock_has_moved():
    from chalicelib.rating.batches.rate import at_most_once_a_second

    clock, reported = iter([5, 5, 6, 6, 9, 9]), list[int]()
    report = at_most_once_a_second(clock.__next__, reported.append)
    for _ in range(6):
        report()
    assert reported == [5, 6, 9]
