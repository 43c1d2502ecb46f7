"""The benchmarks run and tell something; how fast is for ``make bench`` to say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from pytest import approx

from benchmarks import authorize, core, cost, decks, importing
from benchmarks.meter import Meter, size_of
from benchmarks.plot import Point, svg
from benchmarks.sample import Samples, deck_lines
from benchmarks.shop import World, rate_book
from benchmarks.switches import SWITCHES
from benchmarks.table import BEGIN, END, MET, MISSED, Row, judged, put, render
from chalicelib.rating.decks import deck
from chalicelib.rating.engine.term_table import TermTable

pytestmark = pytest.mark.system

ROOT = Path(__file__).parent.parent


def test_both_engines_come_to_the_same_sums_on_the_sample(tmp_path):
    samples = Samples(tmp_path, World())
    found = [core.measure(name, samples, 3_000, 50_000) for name in core.ENGINES]
    assert found[0]["lines"] == 3_000
    assert found[0]["sums"] == found[1]["sums"]
    assert all(each["cpu"] > 0 and each["peak_mb"] > 0 for each in found)


def test_the_sample_comes_to_the_same_sums_whoever_wrote_it(tmp_path):
    samples, world = Samples(tmp_path, World()), TermTable(rate_book(World(), deck.compile_deck(deck_lines(1_000))))
    files = {"": samples.calls(1_000), **{switch: core.calls_of(samples, 1_000, switch) for switch in SWITCHES}}
    rate = core.ENGINES["numpy"]
    found = [core.add_up(rate, file, world, core.source_of(switch)).summary() for switch, file in files.items()]
    assert found[0]["clients"] == 40
    assert found == [found[0]] * len(files)


def test_a_carriers_deck_is_examined_alone_and_beside_the_one_that_it_replaces(tmp_path):
    samples = Samples(tmp_path, World(clients=1, accounts=2, custom_prefixes=2))
    lines = [{line.prefix: line for line in decks.carrier_lines(3_000, change)} for change in (0, 1)]
    assert [len(each) for each in lines] == [3_000, 3_000]
    assert lines[0].keys() - lines[1].keys() and lines[1].keys() - lines[0].keys()
    old = tmp_path / "old.deck"
    old.write_bytes(deck.compile_deck(lines[0].values()))
    file = decks.carrier_file(samples, 3_000, 1)
    assert decks.examine(file) == decks.examine(file, old, samples.calls(1_000)) == 3_000


def test_calls_are_asked_for_in_every_way_and_answered(tmp_path):
    samples = Samples(tmp_path, World(clients=2, accounts=3, custom_prefixes=2))
    found = authorize.measure(samples, 3, 1_000)
    assert list(found) == ["service", "service, held", "handler", "handler, held"]
    assert all(len(taken["cpu"]) == len(taken["wall"]) == 3 and min(taken["cpu"]) > 0 for taken in found.values())


def test_an_import_is_measured_to_its_last_line():
    found = importing.measure(510)
    assert 0 < found["answered"] < found["wall"]
    assert found["cpu"] > 0
    assert [row.section for row in importing.rows(3)] == ["import"] * 4


def test_the_command_writes_what_it_prints(tmp_path):
    out = tmp_path / "latest.json"
    command = [sys.executable, "-m", "benchmarks", "--only", "start", "--out", str(out), "--samples", str(tmp_path)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    rows = json.loads(out.read_text())["rows"]
    assert rows and all(row["what"] in ran.stdout for row in rows)


def test_a_bar_is_met_or_it_is_not():
    assert (judged(2, 3), judged(3, 2), judged(11, least=10), judged(9, least=10)) == (MET, MISSED, MET, MISSED)
    assert "NOT MET" in render([Row("core", "x", "1 s", 1, "<= 0.5 s", verdict=MISSED)])


def test_the_page_gets_the_table_and_keeps_all_else():
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    rows = [Row("core", "x", "1 s", 1, "<= 0.5 s", verdict=MISSED, note="why"), Row("core", "y", "2 s")]
    once = put(page, rows, "a machine")
    before, _, behind = page.partition(BEGIN)
    assert once.startswith(before) and once.endswith(behind.partition(END)[2])
    assert f"{BEGIN}\na machine\n" in once
    assert "| core | x [1] | 1 s | <= 0.5 s |  | NOT MET |\n|  | y | 2 s |  |  | shown |\n\n[1] why" in once
    assert put(once, rows, "a machine") == once
    with pytest.raises(ValueError, match="no place"):
        put("# A page", rows, "a machine")


def test_an_item_weighs_its_names_and_values():
    assert size_of({"pk": {"S": "abc"}, "n": {"N": "1234"}, "l": {"L": [{"S": "é"}, {"NULL": True}]}}) == 5 + 5 + 9


def test_a_write_costs_a_unit_per_kilobyte_twice_in_a_transaction_and_once_more_in_the_index():
    meter = Meter()
    item = {"pk": {"S": "a" * 1024}, "sk": {"S": "b"}, "month_key": {"S": "c"}}
    writes = [{"Put": {"TableName": "t", "Item": item}}, {"Put": {"TableName": "t", "Item": {"pk": {"S": "a"}}}}]
    meter.add(None, "dynamodb", "TransactWriteItems", {"TransactItems": writes}, {})
    assert meter.wru == 2 * 2 + 2 + 2
    meter.add(None, "dynamodb", "GetItem", {}, {"Item": {"pk": {"S": "a" * 4096}}})
    assert meter.rru == 2


def test_a_bill_is_requests_units_and_seconds_at_their_prices():
    counted = {"calls": {"s3:PutObject": 1, "s3:GetObject": 2, "dynamodb:GetItem": 3}, "wru": 8, "rru": 4}
    bill = cost.bill({**counted, "cpu": 0.7, "files": 1})
    assert bill.dynamodb == approx(8 * 0.625e-6 + 4 * 0.125e-6)
    assert bill.s3 == approx(2 * 5e-6 + 2 * 0.4e-6)
    assert bill.sqs == approx(3 * 0.4e-6)
    waits = 3 * cost.WAIT_SECONDS["s3"] + 3 * cost.WAIT_SECONDS["dynamodb"]
    assert bill.compute == approx((1 + waits) * cost.LAMBDA_GB * 1.66667e-5 + 0.2e-6)


def test_the_plot_is_an_svg_with_every_curve_and_the_bar():
    points = [Point(name, lines, lines / 1e6, 100 + lines / 1e5) for name in ("a & b", "c") for lines in (1_000, 10**7)]
    drawn = ElementTree.fromstring(svg(points, 512, "a machine"))
    texts = [element.text for element in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert {"a & b", "c", "bar: 512 MB", "a machine", "1,000", "10 M"} <= set(texts)
    curves = [each for each in drawn.iter("{http://www.w3.org/2000/svg}path") if "line" in each.get("class", "")]
    assert len(curves) == 4
