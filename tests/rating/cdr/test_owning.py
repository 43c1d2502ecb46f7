"""Whose call a row is: the table of ``docs/cdr-formats.md``, in rows of Asterisk, and what callers may forge."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest
from markdown_tables import Row, tables
from test_formats import parsed

from chalicelib.dialling import DialPlan
from chalicelib.rating.cdr.call import Skipped
from chalicelib.rating.cdr.declaration import ACCOUNT_RULES, Declaration, Side, Skip
from chalicelib.rating.cdr.formats import Call, Rejection, Source
from chalicelib.rating.cdr.mapping import ColumnMapping
from chalicelib.rating.cdr.owning import Known, stem_of
from chalicelib.rating.pricing.ownership import Holding, Ownership, known_by

DOCUMENT = Path(__file__).parents[3] / "docs" / "cdr-formats.md"
TABLE = tables(DOCUMENT.read_text())["Owners of rows"]
KNOWN = Known(
    frozenset(("acme-office", "100", "1001")),
    frozenset(("+15145550100", "+15145550111")),
    {"+15145550111": "acme-office"},
)
DECLARED = Declaration(
    inside=Side(frozenset(("from-internal", "default")), frozenset(("sofia/internal",))),
    trunks=Side(frozenset(("from-trunk",)), frozenset(("carrier", "DAHDI/i1"))),
)
SOURCES = {
    "none": Declaration(),
    "declared": DECLARED,
    "caller first": replace(DECLARED, account=("caller", "channel", "column")),
    "column only": replace(DECLARED, account=("column",)),
    "default account": Declaration(mapping=ColumnMapping(defaults={"account": "1001"})),
    "both defaults": replace(
        DECLARED,
        inside=Side(),
        mapping=ColumnMapping(defaults={"account": "1001", "direction": "outbound"}),
    ),
}
PLAN = DialPlan("US", accounts=KNOWN.accounts)


def asterisk(
    account: str = "", channel: str = "", context: str = "", caller: str = "", called: str = "", other: str = ""
) -> str:
    fields = [account, caller, called, context, f"<{caller}>", channel, other or "PJSIP/100-00a9", "Dial", ""]
    fields += [
        "2026-11-23 08:30:00",
        "",
        "2026-11-23 08:31:08",
        "68",
        "61",
        "ANSWERED",
        "DOCUMENTATION",
        "1795440600.4",
    ]
    return ",".join(f'"{field}"' for field in fields)


def freeswitch(account: str, context: str, caller: str, called: str) -> str:
    fields = ["Reception", caller, called, context, "2026-11-23 08:30:00", "2026-11-23 08:30:07", "2026-11-23 08:31:08"]
    fields += ["68", "61", "NORMAL_CLEARING", "7c2a8c5e-6f4d-4d1b-9a52-0d1f8f3f9c11", "", account]
    return ",".join(f'"{field}"' for field in fields)


def read(row: str, declares: Declaration, known: Known = KNOWN) -> Call | Rejection:
    [found] = parsed(row.encode(), Source(PLAN, "UTC", mapping=declares.mapping, declares=declares, known=known))
    return found


def outcome(row: str, declares: Declaration, known: Known = KNOWN) -> tuple[str, str]:
    found = read(row, declares, known)
    return (found.direction, found.account) if isinstance(found, Call) else (found.reason, "")


def cells(row: Row) -> list[str]:
    return [row[name].strip("`") for name in ("account code", "channel", "context", "from", "to")]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row['source']}: {row['because']}")
def test_a_row_belongs_to_the_owner_in_the_table(row: Row) -> None:
    account, channel, context, caller, called = cells(row)
    expected = row["direction"], row["account"]
    assert outcome(asterisk(account, channel, context, caller, called), SOURCES[row["source"]]) == expected
    if not channel:
        assert outcome(freeswitch(account, context, caller, called), SOURCES[row["source"]]) == expected


def test_the_table_shows_every_source_and_every_outcome() -> None:
    assert {row["source"] for row in TABLE} == SOURCES.keys()
    assert {row["direction"] for row in TABLE} == {"outbound", "inbound", "no_owner"}


@pytest.mark.parametrize("rules", [rules for size in (1, 2, 3) for rules in permutations(ACCOUNT_RULES, size)])
def test_the_first_rule_that_gives_a_known_account_wins_in_every_order(rules: tuple[str, ...]) -> None:
    says = {"column": "acme-office", "channel": "100", "caller": "1001"}
    for known in map(frozenset, (("acme-office", "100", "1001"), ("100", "1001"), ("acme-office", "1001"), ("1001",))):
        row = asterisk("acme-office", "PJSIP/100-00a1", "from-internal", "1001", "4165550123")
        expected = next((says[rule] for rule in rules if says[rule] in known), "acme-office")
        found = outcome(row, replace(DECLARED, account=rules), Known(known))
        assert found == ("outbound", expected), (rules, known)


@pytest.mark.parametrize("caller", ["100", "acme-office", "5145550111", "+15145550111", "sip:100@evil.example"])
@pytest.mark.parametrize("called", ["4165550123", "5145550100", "s", "*97", "1001", "x!"])
@pytest.mark.parametrize("declares", SOURCES.values(), ids=SOURCES)
@pytest.mark.parametrize(
    ("channel", "context"),
    [
        ("PJSIP/carrier-00a1", "from-trunk"),
        ("PJSIP/unknown-00a1", "from-pstn"),
        ("PJSIP/anonymous-00a1", ""),
        ("sofia/external/100@evil.example", "public"),
        ("Local/4165550123@from-internal-00a1;2", "from-internal"),
        ("Local/s@app-00a1;1", "from-internal"),
        ("PJSIP/carrier-00a1", "from-internal"),
    ],
)
def test_a_forged_caller_makes_no_sub_account_pay(
    caller: str, called: str, declares: Declaration, channel: str, context: str
) -> None:
    if channel.startswith("PJSIP/carrier") and context == "from-internal" and not declares.trunks:
        context = "from-trunk"
    for other in ("PJSIP/100-00a9", "PJSIP/acme-office-00a9"):
        direction, account = outcome(asterisk("", channel, context, caller, called, other), declares)
        default = declares.mapping.defaults.get("account", "")
        assert (direction, account) in {("inbound", ""), ("no_owner", ""), ("bad_number", ""), ("outbound", default)}


def test_a_refusal_has_the_values_and_the_remedy() -> None:
    found = read(asterisk("", "PJSIP/other-00a1", "from-x", "5551", "4165550123"), Declaration())
    assert isinstance(found, Rejection)
    for text in ("PJSIP/other-00a1", "from-x", "5551", "4165550123", "declare", "add the sub-account"):
        assert text in found.message


def test_a_row_without_owner_is_refused_for_its_wrong_field_first() -> None:
    found = read(asterisk("", "PJSIP/other-00a1", "x", "5551", "x!"), Declaration())
    assert isinstance(found, Rejection)
    assert found.reason == "bad_number"


@pytest.mark.parametrize(
    ("channel", "stem"),
    [
        ("SIP/acme-office-0000a1", "SIP/acme-office"),
        ("Local/100@ctx-1-00a1;2", "Local/100@ctx-1"),
        ("sofia/internal/acme-office@my-host", "sofia/internal/acme-office@my-host"),
        (" PJSIP/100-1 ", "PJSIP/100"),
        ("PJSIP/100", "PJSIP/100"),
        ("-1", "-1"),
        ("", ""),
    ],
)
def test_the_stem_of_a_channel_is_its_name_without_the_part_of_the_call(channel: str, stem: str) -> None:
    assert stem_of(channel) == stem


def test_a_did_stands_for_a_sub_account_only_if_it_never_stood_for_another() -> None:
    def held(client: str, subaccount: str = "", version: int = 1) -> Holding:
        return Holding(version, version, client, subaccount)

    known = known_by(
        Ownership(
            {"office": [held("c", "s1"), held("", "", 2)], "other": [held("d", "s2")]},
            {
                "+15145550100": [held("c", "s1")],
                "+15145550101": [held("c", "s1"), held("d", "s2", 2)],
                "+15145550102": [held("c", "s1"), held("", "", 2)],
                "+15145550103": [held("c")],
                "+15145550104": [held("")],
            },
        )
    )
    assert known.accounts == {"office", "other"}
    assert known.dids == {f"+1514555010{n}" for n in range(4)}
    assert known.callers == {"+15145550100": "office"}


SKIP = Skip(frozenset(("App-Hangup",)), frozenset(("VoiceMailMain",)), frozenset(("s", "*97", "911")))


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (asterisk("", "PJSIP/x-1", "app-hangup", "1", "4165550123"), "context app-hangup"),
        (asterisk("", "PJSIP/100-1", "x", "1", "*97"), "to *97"),
        (asterisk("", "PJSIP/100-1", "x", "1", "sip:S@pbx"), "to sip:S@pbx"),
        (asterisk("acme-office", "PJSIP/100-1", "x", "1", "911"), "to 911"),
        (asterisk("100", "", "x", "1", "1001").replace("Dial", "voicemailmain"), "application voicemailmain"),
        (asterisk("100", "", "app-hangup", "1", "x!").replace("ANSWERED", "WHAT"), "context app-hangup"),
        (freeswitch("100", "x", "1", "s"), "to s"),
    ],
)
def test_skipped_rows_are_no_calls_before_anything_else_is_looked_at(row: str, why: str) -> None:
    good = freeswitch("100", "x", "1", "1001") if "NORMAL_CLEARING" in row else asterisk("100", called="1001")
    call, skipped = parsed(
        f"{good}\n{row}\n".encode(), Source(PLAN, "UTC", declares=Declaration(skip=SKIP), known=KNOWN)
    )
    assert isinstance(call, Call)
    assert skipped == Skipped(2, why, row)


def test_rows_like_skipped_ones_are_calls() -> None:
    for called in ("*98", "91", "+14165550123"):
        assert isinstance(read(asterisk("100", "", "hangup", "1", called), Declaration(skip=SKIP)), Call | Rejection)
