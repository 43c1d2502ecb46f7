"""The vectorised engine against the reference, row for row: texts, prices, terms, owners, months and rejections.

Files are generated to be awkward: every spelling of a number, starts around clock changes and deck changes, owners and
terms that change meanwhile, custom rates on every scope, delimiters, line ends, zones, and a share of broken fields.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pytest
from examples import share

from chalicelib import periods
from chalicelib.dialling import DialPlan
from chalicelib.rating.cdr import formats
from chalicelib.rating.cdr.records import Cut, chunks
from chalicelib.rating.decks.deck import NUMBER, Deck, DeckLine, compile_deck
from chalicelib.rating.engine import columns
from chalicelib.rating.engine import reference as engine_reference
from chalicelib.rating.engine.term_table import COMPILED, TermTable
from chalicelib.rating.engine.vector import engine as fast
from chalicelib.rating.engine.vector import prices, words
from chalicelib.rating.engine.vector.prices import Pulse
from chalicelib.rating.pricing.ownership import Holding, Ownership
from chalicelib.rating.pricing.precedence import CustomRate, PackageVersion
from chalicelib.rating.pricing.price import CallTerms, amount_e8, billed, cost_e8
from chalicelib.rating.pricing.rate_book import RateBook
from chalicelib.rating.pricing.terms import Terms

FIRST = -(2**62)
SEPTEMBER, MIDDLE, OCTOBER = 1788220800, 1789430400, 1790812800
STEMS = ["1", "44", "7", "61", "39", "47", "212", "262", "358", "590", "599", "33", "880", "1212", "1416", "1876", "77"]
HOMES = ["GB", "FR", "DE", "IT", "BR", "HK"]
NAMES_OF_DIGITS = ("9055550123", "19055550124", "00442079460123", "502")
BARE = ["911", "911#", "sip:999@pbx", "15", "502", "*97", "s", "alice", "001911", "1911", "+1911", "012345"]
SPELLED = [
    *("+44(0)2079460123", "+4402079460123", "00440" + "2079460123", "011440" + "2079460123", "02079460123"),
    *("+33 (0)6 12 34 56 78", "+330612345678", "0612345678", "33612345678", "+49 (0)15123456789", "015123456789"),
    *("4915123456789", "30123456", "390212345678", "0212345678", "3902123456", "002112125550100", "02111961234567"),
    *("001447700900123", "0012125550100", "+112125550100", "01112125550100", "001112125550100", "+5491123456789"),
    *("+541152345678", "01154115234567", "+78001234567", "+3758106392450", "+8613812345678", "0085223456789"),
]
"""Numbers in spellings that only a home country's plan can tell."""
ZONES = ["America/Toronto", "UTC", "Europe/Paris", "Asia/Kathmandu", "Australia/Lord_Howe"]
ZONES += ["America/Toronto 2026-10 Asia/Kathmandu", "Asia/Tokyo 2026-11 America/St_Johns"]


def deck_of(seed: int, lines: int = 3000) -> Deck:
    dice = random.Random(seed)
    prefixes = set(STEMS) | {"447", "882", "4477009", "411"}
    while len(prefixes) < lines:
        tail = "".join(dice.choice("0123456789") for _ in range(dice.randrange(8)))
        prefixes.add((dice.choice(STEMS) + tail)[:12])
    lines = [deck_line(dice, prefix) for prefix in sorted(prefixes)]
    alone = {"411", "118712", "911", *NUMBERS[seed % 2 :: 2]}
    homes = [(), (), ("FR", "US"), ("GB",)]
    exact = [deck_line(dice, digits)._replace(match=NUMBER, homes=dice.choice(homes)) for digits in sorted(alone)]
    exact += [line._replace(homes=("CA",), rate_e10=7) for line in exact[::3]]
    return Deck.load(compile_deck([*lines, *exact]))


def deck_line(dice: random.Random, prefix: str) -> DeckLine:
    return DeckLine(
        prefix,
        dice.choice(["Plain", 'With "quotes"', "With, comma", "É"]),
        dice.choice([0, 1, dice.randrange(10**6, 10**10)]),
        dice.choice([1, 6, 30, 60]),
        dice.choice([1, 6, 18, 60]),
        dice.choice([0, 0, dice.randrange(10**7)]),
    )


DIGITS = random.Random(99)
NUMBERS = sorted(
    {(DIGITS.choice(STEMS) + "".join(DIGITS.choices("0123", k=9)))[: DIGITS.randrange(7, 13)] for _ in range(60)}
)
"""E.164 numbers that number lines price, of several lengths."""
DECKS = [deck_of(seed) for seed in range(3)]


def plan_of(home: str, accounts: Iterable[str]) -> DialPlan:
    """As ``loading`` makes it for these decks."""
    return DialPlan(
        home,
        {"CA": 4, "GB": 3, "DE": 9}.get(home),
        codes=frozenset(("411", "118712", "911")),
        accounts=frozenset(accounts),
    )


@dataclass
class Case:
    """One generated file with the rate book it is rated by."""

    make: Callable[[], TermTable]
    data: bytes
    source: formats.Source
    chunk_bytes: int


class Maker:
    """Deals a case from one seed."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.version = 0

    def next_version(self) -> int:
        self.version += 1
        return self.version

    def some_time(self) -> int:
        return self.dice.randrange(SEPTEMBER - 10**6, OCTOBER + 10**6)

    def package(self, package_id: str) -> PackageVersion:
        pick = self.dice.choice
        return PackageVersion(
            package_id,
            self.next_version(),
            self.some_time(),
            markup_fixed_e10=self.dice.randrange(-(10**8), 10**8),
            markup_percent_e4=pick([-(10**6), 0, 200_000, 998_921, self.dice.randrange(-(10**6), 3 * 10**6)]),
            **pick([{}, {"initial": 60, "increment": 60}, {"initial": 1, "increment": 1}]),
            connection_fee_e8=pick([None, None, 0, 10**6, 12_345]),
            minimum_charge_e8=pick([None, None, 0, 10**6]),
            call_decimals=pick([8, 8, 2, 4, 3]),
            rate_decimals=pick([10, 10, 4, 6, 9]),
            routes=pick([("value",) * 3, ("value", "premium", "premium"), ("premium", "value", "value")]),
            free_minutes=pick([0, 0, 5]),
            free_minutes_scope=pick([("us", "canada"), ("GB",)]),
        )

    def custom(self, package_id: str) -> CustomRate:
        pick = self.dice.choice
        scope = pick(["prefix", "country", "group"])
        codes = {
            "prefix": ["1", "44", "1212", "12125", "447", "4477009", "88", "1800", str(self.dice.randrange(1, 10**6))],
            "country": ["US", "CA", "GB", "JM", "RU", "KZ", "NO", "SJ"],
            "group": ["us", "canada"],
        }
        initial, increment = pick([(0, 0), (30, 6)])
        return CustomRate(
            package_id,
            scope,
            pick(codes[scope]),
            self.next_version(),
            pick([FIRST, self.some_time()]),
            pick([None, 0, 10**8, self.dice.randrange(10**9)]),
            initial,
            increment,
            pick([None, 0, 5 * 10**6]),
            pick([None, 2 * 10**6]),
            pick([0, 0, 5]),
        )

    def tables(self, zone: str, home: str = "US") -> tuple[Callable[[], TermTable], list[str], list[str]]:
        pick, packages = self.dice.choice, [f"p{n}" for n in range(8)]
        versions = [self.package(each) for each in packages for _ in range(pick([1, 1, 2, 3]))]
        customs = [self.custom(each) for each in packages for _ in range(pick([0, 0, 3, 30]))]
        accounts, names = {}, list(pick([(), NAMES_OF_DIGITS]))
        for n in range(40):
            name = (
                names.pop()
                if names
                else f"user{n}"
                if n % 5
                else f"a.very-long_user+name@{n}" + "x" * self.dice.randrange(30)
            )
            accounts[name] = [
                Holding(
                    self.some_time() if k else FIRST,
                    self.next_version(),
                    pick([f"c{n % 9}", "" if k else "c0"]),
                    package_id=f"p{self.dice.randrange(9)}",
                )
                for k in range(pick([1, 1, 1, 2, 3]))
            ]
        dids = {
            f"+1416555{n:04d}": [
                Holding(FIRST, self.next_version(), f"c{n}", "", "", pick([0, 5 * 10**7]), *pick([(0, 0), (60, 60)]))
            ]
            for n in range(10)
        }
        decks = {
            "value": [(SEPTEMBER, lambda: DECKS[0]), (MIDDLE, lambda: DECKS[1])],
            "premium": [(SEPTEMBER, lambda: DECKS[2])],
        }
        records = self.dice.random() < 0.25
        plan = plan_of(home, accounts)

        def make() -> TermTable:
            terms, local = Terms(versions, customs), periods.calendar(zone)
            return TermTable(RateBook(Ownership(accounts, dids), terms, decks, local, records, plan))

        return make, list(accounts), list(dids)

    def number(self) -> str:
        dice, pick = self.dice, self.dice.choice
        some = pick([*STEMS, "4477009", "1800", "35818"]) + "".join(
            pick("0123456789") for _ in range(dice.randrange(13))
        )
        spelled = [
            "+" + some,
            "+" + some,
            "011" + some,
            "00" + some,
            some,
            "1" + str(dice.randrange(2 * 10**9, 10**10)),
        ]
        odd = ["411", "100", "123456", "", "+", "abc", "+1 212 555 0100", "(416) 555-0100", "+0123456789", "anonymous"]
        odd += ["+1234567890123456", "1" * 15, "+" + "1" * 15, "118712", "user1", " 502", "1", *NAMES_OF_DIGITS, *BARE]
        alone = "+" + pick(NUMBERS)
        spelled += [alone, alone + pick("0123"), str(dice.randrange(2, 9999))]
        return pick([*spelled * 4, str(dice.randrange(2 * 10**9, 10**10)), pick(odd), pick(SPELLED)])

    def start(self, tail: str, between: str) -> str:
        at = self.dice.choice([SEPTEMBER, MIDDLE, OCTOBER, 1793511000]) + self.dice.randrange(-200_000, 200_000)
        good = periods.format_instant(at)[:-1].replace("T", between) + tail
        bad = ["", "2026-13-01T00:00:00Z", "x", good + "Z", good[:-3], "2026-09-01T24:00:00Z", "2026-09-01T00:60:00Z"]
        bad += [good.replace("T", "t"), good.replace("-", "/"), "2026-03-08T02:30:00"]
        return self.dice.choice(bad) if self.dice.random() < 0.02 else good

    def broken(self, good: str, *bad: str) -> str:
        return self.dice.choice(bad) if self.dice.random() < 0.02 else good

    def line(self, number: int, accounts: list[str], dids: list[str], tail: str, between: str) -> list[str]:
        pick, inbound = self.dice.choice, self.dice.random() < 0.2
        account = pick(["", "user1", "zz", "bad name", pick(accounts)]) if inbound else pick(accounts)
        called = pick(dids) if inbound and self.dice.random() < 0.8 else self.number()
        return [
            self.broken(f"id{number}", "", " x", "x" * 129, "a;b", "x "),
            self.start(tail, between),
            self.broken("inbound" if inbound else "outbound", "Outbound", " outbound", "outboundx", "in", ""),
            self.broken(account, "", "nobody", "user", " user1", "x" * 70),
            self.number(),
            called.lstrip("+") if inbound and self.dice.random() < 0.3 else called,
            self.broken(pick(["ANSWERED"] * 6 + ["NO ANSWER", "BUSY", "FAILED"]), "answered", "ANSWEREDX", "BUSY ", ""),
            self.broken(
                str(pick([0, 1, 5, 6, 7, 59, 60, 61, self.dice.randrange(4000), 86_400])), "-1", "86401", "1.5"
            ),
            self.broken(pick(["", "0.01", "1", "0.12345678", "12.5"]), ".5", "5.", "1e3", "-1", "1.2.3", "0.123456789"),
        ]

    def case(self, lines: int = 600) -> Case:
        pick = self.dice.choice
        zone, delimiter, cost = pick(ZONES), pick([",", ";", "\t"]), self.dice.random() < 0.6
        home = pick(["US", "CA", *HOMES])
        make, accounts, dids = self.tables(zone, home)
        tail, between = pick(["Z", "", "+02:00", "-0500"]), pick(["T", " "])
        width = 9 if cost else 8
        names = ["call_id", "start", "direction", "account", "from", "to", "disposition", "seconds", "cost"]
        rows = [delimiter.join(names[:width])]
        rows = rows if self.dice.random() < 0.8 else []
        for number in range(lines):
            row = delimiter.join(self.line(number, accounts, dids, tail, between)[:width])
            odd = ["", "  ", row + delimiter + "1", "x" * 20_000, row[:10], 'a "quoted" line', "é"]
            rows.append(pick(odd) if self.dice.random() < 0.004 else row)
        data = pick(["\n", "\n", "\r\n"]).join(rows).encode()
        return Case(make, data, formats.Source(plan_of(home, accounts), zone), pick([5_000, 40_000, 2 << 20]))


def meant(table: TermTable, name: str, number: int) -> object:
    """What a number of a row stands for."""
    if name == "terms":
        return table.call_terms(number)
    return (table.book.holders if name == "holder" else table.book.months).values[number]


def compare(case: Case) -> tuple[int, int]:
    """Rate a case both ways; how many lines were rated, and how many of them by the vectorised engine itself."""
    reference, vectorised = case.make(), case.make()
    rated, plain = 0, 0
    for layout, chunk in formats.laid_out(chunks([case.data], case.chunk_bytes), case.source):
        assert not isinstance(chunk, Cut)
        expected = engine_reference.rate(chunk, layout, case.source, reference)
        found = fast.rate(chunk, layout, case.source, vectorised)
        assert list(found.rejected) == list(expected.rejected)
        assert found.skipped == expected.skipped
        for mine, right in zip(found.texts(), expected.texts(), strict=True):
            assert mine.tolist() == right.tolist()
        for name in set(columns.ROW.names) - {"terms", "holder", "month"}:
            assert (found.rows[name] == expected.rows[name]).all(), name
        for name in ("terms", "holder", "month"):
            for mine, right in set(zip(found.rows[name].tolist(), expected.rows[name].tolist(), strict=True)):
                assert meant(vectorised, name, mine) == meant(reference, name, right)
        both = vectorised.columns(found.rows["terms"]), reference.columns(expected.rows["terms"])
        for mine, right in zip(*(vars(each).values() for each in both), strict=True):
            assert mine.tolist() == right.tolist()
        rated += len(expected)
        plain += int((found.rows["terms"] >= COMPILED).sum())
        assert vectorised.internal(found.rows["terms"]) == reference.internal(expected.rows["terms"])
    return rated, plain


@pytest.mark.long
@pytest.mark.parametrize("first", range(0, 10 * share(6), 10))
def test_both_engines_agree_row_for_row(first):
    outcomes = [compare(Maker(seed).case()) for seed in range(first, first + 10)]
    assert sum(rated for rated, _ in outcomes) > 500
    # Otherwise the test would compare the reference with itself.
    assert sum(plain for _, plain in outcomes) > 200


def test_amounts_agree_with_the_reference_at_every_tie_and_bound():
    dice = random.Random(5)
    for _ in range(300):
        decimals = dice.choice([2, 3, 4, 8])
        terms = CallTerms(
            "markup",
            rate_e10=dice.choice([0, 1, 50_000, dice.randrange(10**13)]),
            initial=dice.choice([1, 6, 30, 60, 3600]),
            increment=dice.choice([1, 6, 18, 60, 3600]),
            fee_e8=dice.choice([0, 1, 5 * 10**7, dice.randrange(10**11)]),
            minimum_e8=dice.choice([0, 1, 5_000, 10**11]),
            decimals=decimals,
            cost_rate_e10=dice.randrange(10**13),
            cost_initial=6,
            cost_increment=6,
            cost_fee_e8=dice.randrange(10**11),
        )
        seconds = np.array([0, 1, 2, 3, 6, 59, 60, 61, dice.randrange(86_401), 86_400], np.int64)
        shape = np.ones(len(seconds), np.int64)
        charged = prices.billed(seconds, Pulse.of(terms.initial * shape, terms.increment * shape)) * (seconds > 0)
        assert charged.tolist() == [billed(s, terms.initial, terms.increment) for s in seconds.tolist()]
        found = prices.amounts(
            terms.rate_e10 * shape, charged, terms.fee_e8 * shape, terms.minimum_e8 * shape, decimals * shape
        )
        assert np.where(charged > 0, found, 0).tolist() == [amount_e8(terms, s) for s in seconds.tolist()]
        cost_seconds = prices.billed(seconds, Pulse.of(6 * shape, 6 * shape))
        cost = prices.costs(terms.cost_rate_e10 * shape, cost_seconds, terms.cost_fee_e8 * shape)
        assert np.where(seconds > 0, cost, 0).tolist() == [cost_e8(terms, s) for s in seconds.tolist()]


def test_seconds_are_billed_right_on_both_sides_of_every_step():
    increments = np.array([*range(1, 3601), 2**20 - 1, 2**20, 2**31])
    increment, most = np.repeat(increments, 100), np.repeat(2**20 // increments, 100)
    step = np.tile(np.arange(-50, 50), len(increments)) % (most + 1)
    for initial, beside in ((1, 0), (1, 1), (3600, 1)):
        seconds = np.minimum(initial + step * increment + beside, 2**20 - 1)
        expected = initial + -(-np.maximum(seconds - initial, 0) // increment) * increment
        assert (prices.billed(seconds, Pulse.of(np.full_like(increment, initial), increment)) == expected).all()


def test_a_pulse_without_an_increment_bills_nothing():
    nothing = Pulse.of(np.array([0, 60]), np.array([0, 0]))
    assert prices.billed(np.array([86_400, 1]), nothing).tolist() == [0, 0]


def test_blank_lines_by_the_million_do_not_go_through_the_reference_one_by_one():
    make, _, _ = Maker(1).tables("UTC")
    table, data = make(), b"call_id,start,direction,account,from,to,disposition,seconds\n" + b"\n" * 500_000
    layout = None
    for chunk in chunks([data]):
        layout = layout or formats.detect(chunk)
        assert len(fast.rate(chunk, layout, formats.Source(DialPlan("US"), "UTC"), table)) == 0


def test_a_forged_account_name_never_borrows_another_ones_hash():
    make, accounts, _ = Maker(2).tables("UTC")
    table = make()
    rows = [f"i{n},2026-09-10T12:00:00Z,outbound,{accounts[0]}{n},+1,+12125550100,ANSWERED,60" for n in range(100)]
    (chunk,) = chunks(["\n".join(rows).encode()])
    found = fast.rate(chunk, formats.detect(chunk), formats.Source(DialPlan("US"), "UTC"), table)
    assert {rejection.reason for rejection in found.rejected} == {"unknown_account"}


@pytest.mark.parametrize("seed", range(8))
def test_both_engines_agree_whatever_single_character_is_wrong(seed):
    """Neighbours of digits and of marks in ASCII are what arithmetic on whole words could take for them."""

    case = Maker(1000 + seed).case(400)
    dice, data = random.Random(seed), bytearray(case.data)
    body = data.index(b"\n")
    for _ in range(250):
        place = dice.randrange(body, len(data))
        if data[place] not in b"\r\n":
            data[place] = dice.choice(b"/:;.,-+ 0159TZtz!@`~\x30\x39\x3a\x2f\x2e\t")
    case.data = bytes(data)
    assert compare(case)[0] > 20


def test_words_are_read_as_digits_only_where_every_byte_is_one():
    texts = [
        b"0",
        b"9",
        b"12345678",
        b"1234567",
        b"/",
        b":",
        b"1:",
        b"/1",
        b"99999999",
        b"1a",
        b"",
        b"123456789",
        b"\x10",
    ]
    buffer = np.frombuffer(b",".join(texts) + bytes(words.PAD), np.uint8)
    ends = np.cumsum([len(text) + 1 for text in texts]) - 1
    lengths = np.array([len(text) for text in texts])
    values, good = words.small_numbers(buffer, ends - lengths, lengths, 8)
    for text, value, plain in zip(texts, values.tolist(), good.tolist(), strict=True):
        assert plain == (text.isdigit() and len(text) <= 8)
        assert not plain or value == int(text)


def test_calls_to_extensions_and_to_numbers_of_number_lines_are_priced_by_columns(monkeypatch):
    """Lines that the reference engine rates take twenty times as long: a file of extension calls must not be slow."""
    numbers, package = ["+18005550100", "+18005550101", "+447700900123"], PackageVersion("p", 1, 0)
    lines = [DeckLine("1", "NANP", 10**8, 60, 60, 0), DeckLine("44", "UK", 2 * 10**8, 60, 60, 0)]
    exact = [("18005550100", (), 7), ("447700900123", ("GB", "US"), 8), ("447700900123", (), 9)]
    lines += [DeckLine(digits, "alone", rate, 60, 60, 0, NUMBER, homes) for digits, homes, rate in exact]
    deck, plan = Deck.load(compile_deck(lines)), plan_of("US", ["ann"])
    rows = [f"x{n},2026-09-10T12:00:00Z,outbound,ann,101,{to},ANSWERED,60" for n, to in enumerate(["447", "502"] * 50)]
    rows += [f"y{n},2026-09-10T12:00:00Z,outbound,ann,+14165550100,{to},ANSWERED,60" for n, to in enumerate(numbers)]
    terms, owned = Terms([package], []), Ownership({"ann": [Holding(FIRST, 1, "c", package_id="p")]}, {})
    table = TermTable(RateBook(owned, terms, {"value": [(FIRST, lambda: deck)]}, periods.calendar("UTC"), True, plan))
    data = "\n".join(["call_id,start,direction,account,from,to,disposition,seconds,cost", *rows, ""]).encode()
    data = data.replace(b",60\n", b",60,0.5\n")
    (chunk,) = chunks([data])
    assert not isinstance(chunk, Cut)
    with monkeypatch.context() as patched:
        left = []
        patched.setattr(engine_reference, "rate", lambda some, *_: left.append(some.data) or columns.empty())
        found = fast.rate(chunk, formats.detect(chunk, None), formats.Source(plan, "UTC"), table)
    assert [part.count(b"\n") for part in left] == [1], "only the header is left"
    assert found.texts().called.tolist() == [b"447", b"502"] * 50 + [number.encode() for number in numbers]
    assert set(found.rows["cost_e8"][:100].tolist()) == set(found.rows["amount_e8"][:100].tolist()) == {0}
    assert table.internal(found.rows["terms"]) == 100
    priced = [table.call_terms(number) for number in found.rows["terms"].tolist()]
    assert {each.rule for each in priced[:100]} == {"internal"}
    assert [(each.prefix, each.cost_rate_e10) for each in priced[100:]] == [
        ("18005550100", 7), ("1", 10**8), ("447700900123", 8),
    ]  # fmt: skip
