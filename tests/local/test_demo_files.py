"""The files of six systems that ``make demo`` drops: they fit every month, and one wrong call ends the tour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from local import demo
from local.demo import intake, month, shop
from local.demo.month import Span
from local.demo.systems import File, files_of
from local.stack import Stack

ZONE = ZoneInfo(shop.ZONE)
DID = "+14165550101"


def span_until(now: datetime) -> Span:
    first = now.replace(day=1, hour=0, minute=0, second=0)
    return Span(first, max(now, first + timedelta(hours=1)))


@pytest.mark.parametrize("now", ["2026-11-01 00:03", "2026-11-01 09:59", "2026-11-30 23:59", "2027-03-14 12:00"])
def test_all_calls_begin_within_the_month_at_a_time_that_comes_once(now: str) -> None:
    span = span_until(datetime.fromisoformat(now).replace(tzinfo=ZONE))
    files = files_of(DID, intake._opening(span))
    starts = [call.start for file in files for call in file.calls]
    assert len(set(starts)) == len(starts) == 20
    for start in starts:
        assert span.first <= start <= span.last
        assert start.replace(fold=1).utcoffset() == start.utcoffset()


def test_each_file_is_of_another_kind_and_has_a_line_for_each_call_and_each_other_row() -> None:
    files = files_of(DID, datetime(2026, 11, 1, tzinfo=ZONE))
    assert len({file.kind for file in files}) == len({file.filename for file in files}) == 6
    assert sum(not file.declared for file in files) == 3
    for file in files:
        rows = len(file.calls) + len(file.refused) + file.skipped
        assert file.data.count(b"\n") - rows in (0, 1), file.kind


def meant_otherwise(files: list[File]) -> list[File]:
    """The files, of which the last says another amount than the call has."""
    *others, last = files
    first, *calls = last.calls
    return [*others, replace(last, calls=[first._replace(amount="0.01"), *calls])]


def test_a_call_that_is_not_rated_as_its_file_means_ends_the_tour_with_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def only_files(operator: demo.Api, output: demo.Output, checks: demo.Checks, _: Stack) -> shop.Shop:
        span = month.this_month()
        made = shop.open_shop(operator, output)
        shop.publish_deck(operator, output, span.first_day)
        shop.sell_packages(made, output)
        intake.take_files(operator, made, output, checks, span)
        return made

    write: Callable[[str, datetime], list[File]] = files_of
    monkeypatch.setattr(intake, "files_of", lambda did, first: meant_otherwise(write(did, first)))
    monkeypatch.setattr(demo, "_tour", only_files)
    settings = {"FORFAIT_OPERATOR_KEY": "", "FORFAIT_SIGNING_KEY": ""}
    with Stack(tmp_path, settings=settings) as stack:
        assert demo.run(stack.url, stack.operator_key, stack) == 1
    wrong = capsys.readouterr().err.splitlines()
    assert len(wrong) == 3
    assert wrong[0].startswith("WRONG: what is rated beside the calls of Telnyx CDR report is [(")
    assert "'0.0099')], but [] was expected." in wrong[0]
    assert "WRONG: the revenue of Telnyx CDR report is 0.0219, but 0.022 was expected." in wrong
