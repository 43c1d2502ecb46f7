"""The vectorised engine against the reference in every format, quoting, encoding and state of damage."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from examples import share
from mapped_columns import TOKYO
from test_vector_engine import HOMES, Case, Maker, compare, plan_of

from chalicelib.rating.cdr import formats, spans
from chalicelib.rating.cdr.declaration import NOTHING, Declaration, Side, Skip
from chalicelib.rating.cdr.dispositions import CAUSES
from chalicelib.rating.cdr.mapping import ColumnMapping
from chalicelib.rating.cdr.owning import Known
from chalicelib.rating.cdr.records import Chunk, Cut, chunks, records
from chalicelib.rating.engine import reference
from chalicelib.rating.engine.vector import engine as fast
from chalicelib.rating.engine.vector import fields
from chalicelib.rating.engine.vector.layouts import mapped_rows
from chalicelib.rating.engine.vector.lines import lines_of
from chalicelib.rating.engine.vector.owning import KeptRules

VOIPMS = ["date", "callerid", "destination", "description", "account", "disposition", "duration"]
VOIPMS += ["seconds", "total", "uniqueid"]
PLACEHOLDERS = ["NULL", "0", r"\N", "n/a", "-", "undefined", "unknown-1", "#REF!", "4.83249E+09", "4e-1", "0.0", "00:0"]
PLACEHOLDERS += [
    "\ufeffa1",
    "\ufeffNULL",
    "'null'",
    "00000000-0000-0000-0000-000000000000",
    "00000001",
    "a1 ",
    "7E+",
    "-x",
]
NAMES = ["Reception", "TORONTO   ON", "Zoë", "Élodie À Ö", 'The "Boss"', "Comma, Ltd", "Semi; colon", "", "Łukasz", "🕿"]


@dataclass
class Deal:
    """What rows are made of; ``odd`` is the share of fields that are not as switches write them."""

    maker: Maker
    accounts: list[str]
    dids: list[str]
    odd: float

    def pick(self, *texts: str) -> str:
        return self.maker.dice.choice(texts)

    def field(self, good: str, *odd: str) -> str:
        return self.pick(*odd, "", " ", f" {good}", f"{good} ", "é") if self.maker.dice.random() < self.odd else good

    def number(self) -> str:
        if self.odd:
            return self.maker.number()
        return self.pick("", "1", "+1", "0111") + self.pick("4165550123", "2125550100", "3125550199")

    def name(self) -> str:
        """A caller who has a name for a number."""
        return self.pick(*NAMES) if self.odd else "anonymous"

    def who(self) -> tuple[str, str]:
        """Account (none for an inbound call) and the number called."""
        if self.maker.dice.random() < 0.2:
            return "", self.pick(*self.dids).lstrip("+")
        return self.field(self.pick(*self.accounts), "nobody", '"'), self.field(self.number(), "101", "x")

    def evidence(self, account: str) -> tuple[str, str, str]:
        """Account code, calling channel and context of a row of this account; the channel may have its name."""
        other = self.pick("PJSIP/carrier-000001a3", "SIP/x-a3", "DAHDI/i1/4165550123-5")
        if not account or self.maker.dice.random() < 0.4:
            return account, other, self.pick("from-trunk", "x") if self.odd else "x"
        kinds = [f"PJSIP/{account}-000001a2", f"SIP/{account}-2", f"iax2/{account}-13"]
        if self.odd:
            kinds += [
                f"Local/{account}@ctx-1-0001;2",
                f"sofia/internal/{account}@my-host",
                f"{account}",
                " SIP/a-1",
                "-1",
            ]
            kinds += [
                other,
                f"SIP/{account}-{'x' * 20}",
                f"SIP/{account}",
                "SIP/",
                "-",
                f"Sofia/e-x/{account}@h",
                "SIP/é-1",
            ]
        code = self.pick("", "", "ghost", "a b", "user1") if self.odd else ""
        return code, self.pick(*kinds), self.pick("from-internal", "From-Internal ", "x") if self.odd else "x"

    def start(self) -> str:
        start = self.maker.start("", " ")
        return start if self.odd else f"2026-09-{self.pick('01', '15', '30')} 08:30:00"

    def seconds(self) -> str:
        dice = self.maker.dice
        span = dice.randrange(4000)
        clock = f"{span // 3600:0{dice.choice((1, 2))}}:{span // 60 % 60:02}:{span % 60:02}"
        plain = self.pick("0", "1", "6", "61", str(span))
        two = f"{dice.randrange(26):0{dice.choice((1, 2))}}:{dice.randrange(60):02}"
        return self.field(
            self.pick(plain, plain, clock, "0:00:00"),
            "-1",
            "000000",
            "86401",
            two,
            "0:00",
            "1:75",
            "24:00:01",
            "0:60:00",
        )

    def duration(self, seconds: str) -> str:
        """Of a call with these billable seconds."""
        return self.field(
            self.pick(seconds, "4000", ""), "5", "x", "00:00:05", "1:00:00", "12345678", "-1", "12:34", "99:99"
        )

    def call_id(self, good: str, *odd: str) -> str:
        return self.field(good, *PLACEHOLDERS, *odd)

    def caller(self) -> str:
        name, number = self.pick(*NAMES), self.pick("1001", "+14165550123", self.number(), "anonymous")
        callers = (f'"{name}" <{number}>', f'"{name}" <{number}>', f"<{number}>", number, f"{name} <{number}>")
        return self.field(
            self.pick(*callers), name, f'"{name}" <{number}> ', f"<1> <{number}>", f"<{name}>", "<>", "< >", ">1<", "<"
        )


def asterisk(deal: Deal, number: int) -> list[str]:
    account, called = deal.who()
    start, seconds = deal.start(), deal.seconds()
    source = deal.field(deal.pick("1001", deal.number(), "", deal.name(), *deal.accounts[:2]), "  ", "sip:user1@x")
    unique = deal.call_id(
        f"{deal.pick('', 'pbx-', 'pbx-1-')}1795440600.{number}", "x", "-1.5", "1.2.3", "a b-1.2", "1."
    )
    ended = deal.field(deal.pick("ANSWERED", "ANSWERED", "NO ANSWER", "BUSY", "FAILED", "CONGESTION"), "Busy", "UP")
    channel = deal.field(deal.pick("PJSIP/carrier-000001a3", "PJSIP/a,b-1"), 'quo"te', "x" * 200)
    account, calling, context = deal.evidence(account)
    row = [account, source, called, context, deal.caller(), calling, channel, "Dial"]
    row += ["PJSIP/1@carrier,60,tT", start, deal.pick(start, ""), start, deal.duration(seconds), seconds, ended]
    row += ["DOCUMENTATION", unique, deal.pick("", *NAMES), "", "1795440600.418", deal.field(str(number), "x", "0")]
    width = deal.maker.dice.choice([18] * 20 + [17, 20, 21] + [15, 16, 19] * (deal.odd > 0))
    return row[:17] + row[18:] if width == 20 else row[:width]


REPORT = ["calldate", "clid", "src", "dst", "dcontext", "channel", "dstchannel", "lastapp", "duration", "billsec"]
REPORT += ["disposition", "accountcode", "uniqueid", "did"]


def report(deal: Deal, number: int) -> list[str]:
    """As FreePBX exports its CDR reports: a call from outside has the DID beside the extension that it reached."""
    row, did = [*asterisk(deal, number), "", ""], ""
    if deal.maker.dice.random() < 0.3:
        row[0], row[2], row[5] = "", deal.pick("1001", "s", row[2]), f"SIP/trunk-{number}"
        did = deal.field(deal.pick(*deal.dids).lstrip("+"), "s", "4165550123", "5145550100 ")
    return [row[9], row[4], row[1], row[2], row[3], row[5], row[6], row[7], *row[12:15], row[0], row[16], did]


def freeswitch(deal: Deal, number: int) -> list[str]:
    account, called = deal.who()
    start, seconds = deal.start(), deal.seconds()
    cause = deal.field(deal.pick("NORMAL_CLEARING", *CAUSES, "CALL_REJECTED", "X9"), "no cause", "normal")
    uuid = deal.call_id(f"7c2a8c5e-6f4d-4d1b-9a52-{number:012x}", "x" * 129)
    caller = deal.field(deal.pick("1001", deal.number()), *NAMES)
    row = [deal.pick(*NAMES), caller, called, "default", start, deal.field(deal.pick(start, "")), start]
    row += [deal.duration(seconds), seconds, cause, uuid, "0b0f3f6e-93a5-4f8e-8f4e-52c6a1d7be02"]
    return [*row, account, "PCMU", "PCMU"]


def custom(deal: Deal, number: int) -> list[str]:
    """As ``cdr_custom`` writes it."""
    row = [*asterisk(deal, number), *[""] * 6][:21]
    ended = deal.pick(row[14], "CANCEL", "NOANSWER", "UNKNOWN") if deal.odd else row[14]
    return [row[4], *row[1:4], *row[5:14], ended, row[15], row[0], row[16], "", str(number)]


def like_asterisk(deal: Deal, number: int) -> list[str]:
    """FreeSWITCH's template ``asterisk``."""
    row = freeswitch(deal, number)
    head = [row[12], *row[1:4], f"{row[0]} <{row[1]}>", "sofia/internal/1001", "sofia/gateway/x", "bridge", "x"]
    return [*head, *row[4:10], "3", row[10], ""]


def page(deal: Deal, number: int) -> list[str]:
    """As FusionPBX's page of call detail records exports it."""
    row = freeswitch(deal, number)
    way = deal.pick("outbound", "local", "") if row[12] else "inbound"
    extension, account = (row[12], "") if number % 2 else ("", row[12])
    return [row[10], deal.field(way, "x"), extension, row[1], row[2], row[4], row[5], row[8], row[9], account]


PAGE = ["xml_cdr_uuid", "direction", "extension", "caller_id_number", "destination_number", "start_stamp"]
PAGE += ["answer_stamp", "billsec", "hangup_cause", "accountcode"]


def voipms(deal: Deal, number: int) -> list[str]:
    account, called = deal.who()
    about = deal.pick("Canada - 416 Toronto", "Outbound", "") if account else "Inbound DID"
    ended = deal.field(deal.pick("ANSWERED", "NO ANSWER", "BUSY"), "answered", "UP")
    cost = deal.field(deal.pick("0.00520000", "1", ""), "1e3", "-1")
    row = [
        deal.start(),
        deal.caller(),
        called,
        deal.field(about, "Call Recording", "Canada - Québec", "x" * 70),
        account,
        ended,
    ]
    seconds = deal.seconds()
    row += [deal.pick(deal.duration(seconds), "01:06:40"), seconds]
    return [*row, cost, deal.call_id(str(4832494463 + number), "a,b", 'a"b'), deal.field(deal.pick("", "IN:CAN"), "in")]


def aliased(deal: Deal, number: int) -> list[str]:
    account, called = deal.who()
    ended = deal.field(deal.pick("ok", "OK", "No reply", "BUSY", "ANSWERED", ""), "hm")
    way = deal.field(deal.pick("mo", "MO", "outbound", "") if account else deal.pick("mt", "inbound"), "x")
    row = [deal.call_id(f"a{number}"), deal.start(), called, deal.pick(deal.number(), deal.name()), account]
    return [*row, deal.field(deal.pick("0.0125", "")), deal.seconds(), ended, way, deal.pick(*NAMES)]


def own(deal: Deal, number: int) -> list[str]:
    if deal.odd:
        row = deal.maker.line(number, deal.accounts, deal.dids, "Z", "T")
        return [deal.call_id(row[0]), *row[1:4], deal.pick(row[4], row[4], *NAMES), *row[5:]]
    account, called = deal.who()
    way, start = "outbound" if account else "inbound", deal.start()
    return [f"id{number}", start, way, account, deal.name(), called, "NO ANSWER", deal.seconds(), "0.01"]


Row = Callable[[Deal, int], list[str]]
FORMATS: dict[str, tuple[list[str], Row]] = {
    "asterisk": ([], asterisk),
    "asterisk of cdr_custom": ([], custom),
    "asterisk of FreePBX": (REPORT, report),
    "freeswitch": ([], freeswitch),
    "freeswitch like asterisk": ([], like_asterisk),
    "fusionpbx": (PAGE, page),
    "voipms": ([*VOIPMS, "destination_type"], voipms),
    "aliased": (
        ["Ref", "Begin", "Dialled", "Caller", "User", "Fee", "seconds", "disposition", "direction", "notes"],
        aliased,
    ),
    "forfait": (["call_id", "start", "direction", "account", "from", "to", "disposition", "seconds", "cost"], own),
}


def whole(field: str) -> str:
    return '"' + field.replace('"', '""') + '"'


def needed(field: str) -> str:
    return whole(field) if set(field) & set(',;\t"\n') else field


def stray(field: str) -> str:
    """As FreeSWITCH writes: quotes within are not doubled."""
    return f'"{field}"'


def bare(field: str) -> str:
    return field


def file_of(seed: int, name: str, lines: int, odd: float) -> Case:
    """A file of one format, each line of which may be quoted in its own way."""
    maker = Maker(seed)
    dice = maker.dice
    home = dice.choice(["US", "CA", *HOMES][: None if odd else 2])
    make, accounts, dids = maker.tables(dice.choice(["America/Toronto", "Europe/Paris"]), home)
    deal, (header, row) = Deal(maker, accounts, dids, odd), FORMATS[name]
    delimiter, style = dice.choice(",,;\t"), dice.choice([whole, whole, needed])
    rows = [delimiter.join(map(style, header))] if header else []
    for number in range(lines):
        quoted = style if dice.random() > odd else dice.choice([whole, needed, stray, bare])
        fields = list(map(quoted, row(deal, number)))
        if dice.random() < odd:
            place = dice.randrange(len(fields))
            fields[place] = dice.choice([f" {whole('office')}", whole("a\nb"), whole("a\n\nb"), '"', 'x"y"', '"x"y'])
        if name == "freeswitch" and seed % 2 and len(fields) > 12:
            fields[12] = " " + fields[12]
        rows.append(delimiter.join(fields))
        if dice.random() < odd / 4:
            rows.append(dice.choice(["", " ", "\r", "x", rows[0], delimiter * 20, '"' * 7, "é" * 20_000]))
    text = dice.choice(["\n", "\n", "\r\n"]).join(rows)
    data = text.encode(dice.choice(["utf-8", "utf-8", "cp1252", "utf-16", "utf-8-sig"]), "replace")
    inside = Side(frozenset(("from-internal", "default")), frozenset(("sofia/internal",)))
    skip = dice.choice(
        [Skip(), Skip(frozenset(("From-Trunk",)), frozenset(("hangup",)), frozenset(("101", "X", "411")))]
    )
    trunks = Side(frozenset(("from-trunk",)), frozenset(("Carrier", "dahdi/i1")))
    rules = dice.choice(
        [None, ("column",), ("caller", "channel"), ("caller", "column", "channel"), ("channel", "column")]
    )
    mapping = replace(TOKYO, seconds_format=dice.choice(spans.FORMATS))
    # Drawn apart, so that what else is drawn does not depend on it.
    defaults = ColumnMapping(
        defaults=random.Random(seed).choice(
            [{}, {"account": accounts[0]}, {"direction": "outbound", "account": accounts[1]}]
        )
    )
    source = formats.Source(
        plan_of(home, accounts),
        "Asia/Tokyo",
        dice.random() < 0.3,
        mapping if name == "aliased" else defaults if odd else None,
        declares=dice.choice(
            [NOTHING, Declaration(mapping=mapping, account=rules, inside=inside, trunks=trunks, skip=skip)]
        )
        if odd
        else NOTHING,
        known=Known(frozenset(accounts), frozenset(dids), {"+14165550123": accounts[0], "+12125550100": accounts[1]}),
    )
    return Case(make, data, source, dice.choice([700, 5_000, 2 << 20]))


def damaged(case: Case, seed: int, times: int) -> Case:
    """The file with bytes changed, left out and put in anywhere."""
    dice, data = random.Random(seed), bytearray(case.data)
    bits = [b'"', b'""', b",", b";", b"\t", b"\n", b"\r", b"\r\n", b" ", b"\0", b"\x7f", b"\x81", b"\xc2\x85", b"\xe9"]
    bits += [b"\xc3\xa9", b"\xa0", b"<", b">", b"-", b".", b"+", b"0", b"9", b":", b"'", b'",', b',"', b' "', b""]
    for _ in range(times):
        place = dice.randrange(len(data))
        data[place : place + dice.choice([0, 1, 1, 2])] = dice.choice(bits)
    return replace(case, data=bytes(data))


@pytest.mark.parametrize("name", FORMATS)
def test_lines_as_switches_write_them_are_all_read_by_columns(name: str):
    for seed in range(4):
        case, layout = file_of(seed, name, 300, 0.0), None
        table, read = case.make(), 0
        for chunk in chunks([case.data], 20_000):
            assert not isinstance(chunk, Cut)
            layout = layout or formats.detect(chunk, case.source.mapping)
            rows = mapped_rows(lines_of(chunk, layout), layout, case.source, KeptRules())
            read += int(fields.read(rows, "UTC", NOTHING, case.source.plan, table.book).good.sum())
        assert layout.name == name.split(" ")[0]
        assert read == 300


@pytest.mark.long
@pytest.mark.parametrize("name", FORMATS)
def test_both_engines_agree_on_odd_lines_of_every_format(name: str):
    outcomes = [compare(file_of(seed, name, 150, 0.02)) for seed in range(100, 106 + share(6))]
    # Sources of some files refuse or skip most lines; the other files still leave enough to the columns.
    assert sum(plain for _, plain in outcomes) > share(50)


@pytest.mark.parametrize("name", FORMATS)
def test_both_engines_agree_on_damaged_files_of_every_format(name: str):
    outcomes = [compare(damaged(file_of(seed, name, 150, 0.005), seed, 15)) for seed in range(200, 210)]
    assert sum(plain for _, plain in outcomes) > 50


@pytest.mark.parametrize("name", FORMATS)
def test_a_chunk_without_a_line_that_could_be_read_is_the_references(name: str):
    case = file_of(1, name, 30, 0.0)
    first = next(iter(chunks([case.data])))
    layout, broken = formats.detect(first, case.source.mapping), Chunk(40, b'x\n"\n\n \n\xc2\x85,\n')
    found = fast.rate(broken, layout, case.source, case.make())
    assert list(found.rejected) == list(reference.rate(broken, layout, case.source, case.make()).rejected)
    assert [rejection.line for rejection in found.rejected] == [40, 41, 44]


def test_both_engines_read_causes_in_a_column_that_a_source_names():
    maker = Maker(3)
    make, accounts, _ = maker.tables("UTC")
    rows = ["call_id,begin,called,user,length,why,way"]
    for n, cause in enumerate((*CAUSES, "normal_clearing", "NO_SUCH_CAUSE", "ANSWERED", "x")):
        rows += [
            f"c{n}-{length},2026-09-15 08:30:00,14165550{n:03},{accounts[n % len(accounts)]},{length},{cause},outbound"
            for length in (0, 7)
        ]
    columns = {"start": "begin", "to": "called", "account": "user", "seconds": "length", "disposition": "why"}
    mapping = ColumnMapping({**columns, "direction": "way"})
    source = formats.Source(plan_of("US", accounts), "UTC", True, mapping, Declaration(mapping=mapping))
    rated, plain = compare(Case(make, "\n".join(rows).encode(), source, 2 << 20))
    assert rated >= len(CAUSES)
    assert plain >= rated // 4


@pytest.mark.parametrize("width", [16, 17])
def test_both_engines_agree_on_asterisk_rows_of_one_width(width: int):
    maker = Maker(1)
    make, accounts, dids = maker.tables("UTC")
    rows = [asterisk(Deal(maker, accounts, dids, 0.0), number)[:width] for number in range(40)]
    data = "\n".join(",".join(map(whole, row)) for row in rows).encode()
    assert (
        compare(
            Case(
                make,
                data,
                formats.Source(plan_of("US", accounts), "UTC", known=Known(frozenset(accounts), frozenset(dids))),
                2 << 20,
            )
        )[0]
        > 10
    )


@pytest.mark.parametrize("width", [17, 21])
def test_both_engines_agree_on_asterisk_ids_of_about_the_longest_length(width: int):
    maker = Maker(2)
    make, accounts, dids = maker.tables("UTC")
    rows = []
    for longest in range(60, 140):
        row = asterisk(Deal(maker, accounts, dids, 0.0), longest)
        row = [*row, *[""] * 6][:width]
        row[6] = f"PJSIP/{'c' * longest}-000001a3"
        # Some rows have a sequence, some have none.
        row[20:] = [str(longest) if longest % 3 else ""] if width > 20 else []
        rows.append(row)
    data = "\n".join(",".join(map(whole, row)) for row in rows).encode()
    source = formats.Source(plan_of("US", accounts), "UTC", known=Known(frozenset(accounts), frozenset(dids)))
    assert compare(Case(make, data, source, 2 << 20))[0] > 10


def test_every_short_line_of_quotes_delimiters_and_text_is_cut_as_the_csv_module_cuts_it():
    every = map("".join, itertools.product('", a', repeat=7))
    even = [line for line in every if line.count('"') % 2 == 0 and line.strip()]
    for end in ("\n", "\r\n"):
        chunk = Chunk(1, end.join(even).encode())
        found = lines_of(chunk, formats.Layout("asterisk", ",", {}, 1, False, 8))
        expected = {record.line: record for record in records(chunk, ",")}
        assert len(found.line) + len(found.others) == len(even)
        columns = [found.field(place) for place in range(8)]
        for row, line in enumerate((found.line + 1).tolist()):
            fields = expected[line].fields
            cut = [bytes(found.buffer[begin[row] :][: length[row]]).decode() for begin, length in columns]
            for place, field in enumerate(fields):
                if not found.spotted[place, row]:
                    assert cut[place] == field, expected[line].raw
                else:
                    assert cut[place].replace('"', "") == field.replace('"', ""), expected[line].raw
            assert not any(cut[len(fields) :])
        for line in (found.others + 1).tolist():
            # Nobody who writes CSV writes so.
            fields = expected[line].fields
            assert expected[line].raw not in (",".join(map(needed, fields)), ",".join(map(whole, fields)))


def test_a_quote_left_open_and_a_record_over_two_lines_leave_the_other_lines_alone():
    rows = [",".join(map(whole, ["a", "b", "c"]))] * 200
    rows[30], rows[90:92], rows[150] = 'a,"b,c', ['"a","b', 'x","c"'], 'a,b"",c"'
    found = lines_of(Chunk(1, "\n".join(rows).encode()), formats.Layout("forfait", ",", {}, 3, False))
    assert found.others.tolist() == [30, 90, 91, 150]
    together, lines = found.together(found.line[:1])
    assert [lines[record.line] for record in records(together, ",")] == [0, 30, 90, 150]


def test_a_chunk_in_which_many_quotes_are_left_open_is_the_references():
    rows = ['a,"b,c', "a,b,c"] * 30
    assert lines_of(Chunk(1, "\n".join(rows).encode()), formats.Layout("forfait", ",", {}, 3, False)) is None
