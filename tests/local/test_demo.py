"""``make demo`` as a script would run it; what it prints is computed again here, from the very files it uploaded."""

from __future__ import annotations

import csv
import fcntl
import io
import json
import math
import os
import re
import subprocess
import sys
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from local.demo.checks import Checks
from local.demo.output import Output, cents
from local.folder import Folder
from local.settings import SET_BY_STACK
from local.stack import Stack

ROOT = Path(__file__).resolve().parents[2]
BUCKET = "forfait-local"
DISPOSITIONS = {"ANSWERED", "NO ANSWER", "BUSY", "FAILED"}
INTERNAL = {"rate_per_minute": "0", "initial": "60", "increment": "60", "destination": "", "prefix": ""}
SIX = {
    "Master.csv": ("Asterisk Master.csv", "nothing", 4, 0, 0, "0.0219"),
    "freepbx-cdr-report.csv": ("FreePBX CDR Reports", "nothing", 3, 1, 0, "0.0155"),
    "freeswitch.csv": ("FreeSWITCH cdr-csv", "nothing", 4, 0, 0, "0.0219"),
    "cdr_custom.csv": ("Asterisk cdr_custom", "a source", 3, 0, 1, "0.0219"),
    "threecx-report.csv": ("3CX report", "a source", 3, 0, 0, "0.0339"),
    "telnyx-report.csv": ("Telnyx CDR report", "a source", 3, 0, 0, "0.0219"),
}
"""Files of six systems -> how the tour shows them: the system, what was suggested, rated, refused, skipped; revenue."""
OWNERS = {"acme": "Acme Imports", "boreal": "Boreal Travel", "cedar": "Cedar Clinic"}


@dataclass(eq=False)
class Toured:
    """A tour that is over: what it printed, its files, and the API of its state, served again."""

    output: str
    calls: list[list[str]]
    deck: dict[str, dict[str, str]]
    dropped: dict[str, bytes]
    url: str

    @property
    def key(self) -> str:
        found = re.search(r"^\s+KEY=(\S+)$", self.output, re.MULTILINE)
        assert found
        return found[1]

    def row(self, first_cell: str, section: str) -> list[str]:
        """Cells of a printed row, of the section whose heading holds ``section``."""
        text = self.output.partition(section)[2]
        line = next(line for line in text.splitlines() if line.strip().startswith(first_cell))
        return re.split(r"\s{2,}", line.strip())

    def get(self, path: str, body: Any = None) -> Any:
        """The answer to a GET or, with a body, to a POST."""
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)


@pytest.fixture(scope="module")
def toured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Toured]:
    state = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        [sys.executable, "-m", "local", "demo", "--state", str(state)],
        cwd=ROOT,
        # The settings of the tests are for the tests' own process.
        env={name: value for name, value in os.environ.items() if name not in SET_BY_STACK},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout[-2000:] + done.stderr
    with Stack(state) as stack:
        s3 = stack.client("s3")
        names = [found["Key"] for found in s3.list_objects_v2(Bucket=BUCKET, Prefix="incoming/")["Contents"]]

        def data(ending: str) -> bytes:
            (name,) = [name for name in names if name.endswith(ending)]
            return s3.get_object(Bucket=BUCKET, Key=name)["Body"].read()

        def rows(ending: str) -> list[list[str]]:
            return list(csv.reader(io.StringIO(data(ending).decode())))

        deck = rows("-value.csv")
        lines = {line[0]: dict(zip(deck[0], line, strict=True)) for line in deck[1:]}
        dropped = {name: data(name) for name in SIX}
        yield Toured(done.stdout, rows("maple-calls.csv")[1:], lines, dropped, stack.url)


# An independent reckoning, in fractions: the rules of docs/pricing.md for the two packages of the tour.


def rounded(value: Fraction) -> Decimal:
    return Decimal(math.floor(value * 10**8 + Fraction(1, 2))).scaleb(-8)


def billed(seconds: int, initial: int, increment: int) -> int:
    return initial + math.ceil(max(0, seconds - initial) / increment) * increment


def is_good(row: list[str]) -> bool:
    """Whether a line is a call that can be rated; the tour's number is the only DID."""
    if len(row) != 8 or row[6] not in DISPOSITIONS or not row[7].isdigit():
        return False
    try:
        datetime.fromisoformat(row[1])
    except ValueError:
        return False
    return row[5] == "+14165550100" if row[2] == "inbound" else row[3].split("-")[0] in OWNERS


@cache
def reckoned(toured: Toured) -> tuple[dict[str, Decimal], Decimal, int]:
    """What each client pays for its calls, what all of them cost the reseller, and how many calls there are."""
    paid: dict[str, Decimal] = defaultdict(Decimal)
    cost, free_left = Decimal(0), 60_000
    good = {tuple(row) for row in toured.calls if is_good(row) and line_of(toured, row)}
    for row in sorted(good, key=lambda row: (row[1], row[0])):
        if row[6] != "ANSWERED" or row[7] == "0":
            continue
        line, seconds = line_of(toured, row), int(row[7])
        pulse = int(line["initial"]), int(line["increment"])
        deck_rate, owner = Fraction(line["rate_per_minute"]), row[3].split("-")[0]
        cost += rounded(deck_rate * billed(seconds, *pulse) / 60)
        canadian, charged = line["destination"].startswith("Canada"), 0
        if row[2] == "inbound":
            owner, rate, charged = "acme", Fraction("0.012"), billed(seconds, 6, 6)
        elif owner == "boreal":
            rate, charged = deck_rate * Fraction(135, 100), billed(seconds, 60, 60)
            free = min(free_left, charged) if canadian else 0
            free_left, charged = free_left - free, charged - free
        elif line["prefix"] == "1514":
            rate, charged = Fraction("0.007"), billed(seconds, 30, 6)
        else:
            rate = Fraction("0.009") if canadian else deck_rate * Fraction(120, 100)
            charged = billed(seconds, *pulse)
        paid[OWNERS[owner]] += rounded(rate * charged / 60)
    return paid, cost, len(good)


def line_of(toured: Toured, row: Any) -> dict[str, str]:
    """The deck line of an outbound call, the number's own cost for an inbound one; empty when there is none."""
    if row[2] == "inbound":
        return {"rate_per_minute": "0.006", "initial": "6", "increment": "6", "destination": "", "prefix": ""}
    if row[5].isdigit():
        # A short number: of the deck, or an extension, which costs nothing.
        line = toured.deck.get(row[5], {"match": ""})
        return line if line["match"] == "number" else dict(INTERNAL)
    digits = row[5].removeprefix("+")
    return next((toured.deck[digits[:n]] for n in range(len(digits), 0, -1) if digits[:n] in toured.deck), {})


def test_the_tour_ends_well_without_a_terminal_and_in_plain_text(toured: Toured) -> None:
    assert "all agree" in toured.output
    assert "\033" not in toured.output
    assert "\r" not in toured.output
    assert all(line == line.rstrip() for line in toured.output.splitlines())
    assert "http://127.0.0.1:8000/v1/openapi.json" in toured.output


def test_every_line_of_the_file_is_accounted_for(toured: Toured) -> None:
    _, _, calls = reckoned(toured)
    good = sum(1 for row in toured.calls if is_good(row) and line_of(toured, row))
    lines, bad = len(toured.calls), len(toured.calls) - good
    assert lines >= 10_000
    assert (bad, good - calls) == (lines // 100, lines // 20)
    told = f"{lines:,} lines = {calls:,} rated + {bad:,} rejected + {good - calls:,} duplicates"
    assert told in toured.output
    assert f"0 rated, {good:,} duplicates: no balance has changed." in toured.output


def test_an_extension_costs_nothing_and_a_short_number_what_its_deck_line_says(toured: Toured) -> None:
    *_, first = toured.get("/v1/batches")["items"]
    inside = {tuple(row) for row in toured.calls if row[5] == "447" and is_good(row)}
    assert first["internal"] == len(inside) > 500
    shown = " ".join(toured.output.partition("an extension, and 411")[2].split())
    assert "An internal number: a call to it has no price and no cost." in shown
    assert "Deck line 411 (Directory assistance), for this number alone, costs 0.75 USD a minute" in shown


def test_the_rating_shows_how_far_it_is(toured: Toured) -> None:
    shown = toured.output.partition("arrives and is rated")[2].partition("30,000 lines =")[0]
    assert re.search(r"rating, [\d,]+ lines so far\n\s+done in [\d.]+ s\n", shown)


def test_the_seed_example_is_explained_step_by_step(toured: Toured) -> None:
    assert "The price is 0.012 USD." in " ".join(toured.output.split())
    assert "3. No custom rate fits, so the markup counts: (0.01 + 0.00) x 120 % = 0.012 USD a minute." in toured.output
    assert "5. Amount: 0.012 x 60 s / 60 = 0.012 USD." in toured.output


def test_each_balance_is_what_the_calls_and_fees_come_to(toured: Toured) -> None:
    paid, _, _ = reckoned(toured)
    money = {"Acme Imports": ("200", "6.50"), "Boreal Travel": ("1500", "5.00"), "Cedar Clinic": ("40", "3.00")}
    clients = {client["company"]: client for client in toured.get("/v1/clients")["items"]}
    for name, (paid_in, fees) in money.items():
        balance = Decimal(paid_in) - Decimal(fees) - paid[name]
        row = toured.row(name, "What each client has")
        assert row[2:6] == [cents(Decimal(paid_in)), fees, cents(paid[name]), cents(balance)]
        assert row[6] == ("suspended" if row[1] == "strict" and balance <= 0 else "active")
        # The state was kept: the stack that was started on it knows the key and the exact balances.
        assert Decimal(clients[name]["balance"]) == balance


def test_cost_and_margin_are_right_to_the_last_digit(toured: Toured) -> None:
    paid, cost, calls = reckoned(toured)
    revenue = sum(paid.values())
    *_, first = toured.get("/v1/batches")["items"]
    assert (Decimal(first["revenue"]), Decimal(first["cost"]), first["rated"]) == (revenue, cost, calls)
    row = toured.row("calls", "What the reseller has earned")
    assert row[1:4] == [cents(revenue), cents(cost), cents(revenue - cost)]


def test_files_of_six_systems_are_rated_and_shown(toured: Toured) -> None:
    batches = {batch["key"]: batch for batch in toured.get("/v1/batches")["items"]}
    for filename, (kind, suggested, rated, refused, skipped, revenue) in SIX.items():
        [batch] = [batch for key, batch in batches.items() if key.endswith(filename)]
        counts = [batch[name] for name in ("rated", "rejected", "skipped")]
        assert (counts, batch["revenue"]) == ([rated, refused, skipped], revenue), kind
        row = toured.row(kind, "Files of six systems")
        assert [row[0], *row[-4:]] == [kind, suggested, str(rated), str(refused), str(skipped)]


def test_what_the_preview_suggests_is_put_as_it_is(toured: Toured) -> None:
    put = {source.pop("pattern"): source for source in toured.get("/v1/cdr-sources")["items"]}
    suggested = {}
    for filename in SIX:
        # No source holds for this folder, so the preview suggests what it suggested to the tour.
        sample = {"text": toured.dropped[filename].decode(), "filename": f"elsewhere/{filename}"}
        if suggestion := toured.get("/v1/cdr-preview", sample)["suggestion"]:
            assert SIX[filename][1] == "a source"
            suggestion |= {"id": filename.removesuffix(".csv").replace("_", "-")}
            suggested[filename.removesuffix(".csv") + "*"] = suggestion
            del suggestion["pattern"]
    assert {pattern: given(source) for pattern, source in put.items()} == suggested


def given(value: Any) -> Any:
    """An answer without the parts that are null or empty."""
    if not isinstance(value, dict):
        return value
    parts = {name: given(part) for name, part in value.items()}
    return {name: part for name, part in parts.items() if part not in (None, {})}


def test_a_deposit_that_paypal_told_of_three_times_is_credited_once(toured: Toured) -> None:
    [client] = [one for one in toured.get("/v1/clients")["items"] if one["company"] == "Dune Diner"]
    entries = toured.get(f"/v1/clients/{client['id']}/ledger")["items"]
    assert [(entry["kind"], entry["amount"], entry["actor"]) for entry in entries] == [
        ("deposit", "25.00", "paypal:ipn")
    ]
    assert (client["balance"], client["service"]) == ("25.00", "active")
    assert toured.row("after", "A client pays by PayPal") == ["after", "25.00", "active"]
    [deposit] = toured.get(f"/v1/clients/{client['id']}/deposits")["items"]
    assert deposit["status"] == "paid"


def test_a_line_that_contradicts_a_rated_call_is_listed_and_changes_nothing(toured: Toured) -> None:
    late = toured.get("/v1/batches")["items"][0]
    assert (late["lines"], late["rated"], late["duplicates"], late["conflicting"]) == (1, 0, 1, 1)
    with urllib.request.urlopen(late["conflicts_url"], timeout=30) as answer:
        [row] = csv.DictReader(io.StringIO(answer.read().decode()))
    first = toured.calls[int(row["billed_line"]) - 2]
    late_line = row["original"].split(",")
    assert (row["differs"], row["billed_seconds"]) == ("seconds", first[7])
    assert (late_line[:7], int(late_line[7])) == (first[:7], int(first[7]) + 60)
    assert "A line contradicts a call" in toured.output


def test_a_closed_month_is_left_as_it_is(toured: Toured) -> None:
    [client] = [one for one in toured.get("/v1/clients")["items"] if one["company"] == "Evergreen Salon"]
    after, before = toured.get(f"/v1/clients/{client['id']}/ledger")["items"]
    assert before["usage_month"] == before["period"] == after["usage_month"] < after["period"]


def test_a_wrong_figure_is_told_and_counted() -> None:
    checks = Checks()
    checks.same("a balance", Decimal("1.00"), Decimal(1))
    checks.same("the margin", 2, 3)
    assert checks.made == 2
    assert checks.report() == ["WRONG: the margin is 2, but 3 was expected."]


def test_a_stack_that_is_gone_ends_the_tour_with_1_and_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from local.demo import run

    stack = Stack(tmp_path)
    assert run("http://127.0.0.1:9", "a key", stack) == 1
    assert "The tour broke off: POST http://127.0.0.1:9/v1/resellers failed" in capsys.readouterr().err


def test_a_folder_is_emptied_for_the_next_tour_but_not_while_a_stack_uses_it(tmp_path: Path) -> None:
    (tmp_path / "s3").mkdir()
    (tmp_path / "s3" / "object").write_text("left", encoding="ascii")
    (tmp_path / "aws.state").write_text("left", encoding="ascii")
    with (tmp_path / "lock").open("a", encoding="ascii") as used:
        fcntl.flock(used, fcntl.LOCK_EX)
        with pytest.raises(SystemExit, match="another stack uses"):
            Folder(tmp_path).empty()
    assert (tmp_path / "s3" / "object").exists()
    Folder(tmp_path).empty()
    assert [left.name for left in tmp_path.iterdir()] == ["lock"]


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("colour", "bold"), [(True, True), (False, False)])
def test_headings_are_bold_only_where_colour_is_wanted(colour: bool, bold: bool) -> None:
    screen = Screen()
    Output(screen, colour=colour).title("Title")
    assert ("\033[1m" in screen.getvalue()) is bold
    plain = io.StringIO()
    Output(plain, colour=True).title("Title")
    assert plain.getvalue() == f"Title{os.linesep}=====\n"


def test_progress_is_in_place_on_a_terminal_and_line_by_line_elsewhere() -> None:
    for out, shown in ((Screen(), "\r\033[K   a\r\033[K   b\n"), (io.StringIO(), "   a\n   b\n")):
        output = Output(out, colour=False)
        for text in ("a", "a", "b"):
            output.progress(text)
        output.end_progress()
        assert out.getvalue() == shown
