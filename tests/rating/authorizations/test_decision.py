"""The worked tables of ``docs/authorizations.md``, how long money lasts, and the set-ups that the document shows."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_tables import Row, tables

from chalicelib import money
from chalicelib.rating.authorizations.decision import ClientLimits, decide, hang_up_after
from chalicelib.rating.cdr.call import MAX_SECONDS
from chalicelib.rating.pricing.price import CallTerms, affordable_seconds, amount_e8, internal_terms
from chalicelib.rating.shapes.authorizations import AuthorizationIn, FinishIn
from chalicelib.web import forms

TEXT = (Path(__file__).parents[3] / "docs" / "authorizations.md").read_text(encoding="utf-8")
LONG, ANSWERS = tables(TEXT)["How long"], tables(TEXT)["The answer"]
GB = CallTerms("markup", 200_000_000, 60, 60, country="GB")


def amount(text: str) -> int:
    return money.parse_amount(text or "0")


def test_no_row_of_the_document_is_lost():
    assert (len(LONG), len(ANSWERS)) == (19, 21)


@pytest.mark.parametrize("row", LONG, ids=lambda row: " ".join(row.values()))
def test_how_long_money_lasts(row: Row):
    initial, increment = map(int, row["pulse"].split("/"))
    fee_e8, decimals = amount(row["fee"]), int(row["decimals"])
    terms = CallTerms(
        "markup", money.parse_rate(row["rate"]), initial, increment, fee_e8, amount(row["minimum"]), int(row["grace"]),
        decimals,
    )  # fmt: skip
    assert affordable_seconds(terms, amount(row["available"])) == int(row["max seconds"])


def limit(text: str) -> int | None:
    return amount(text) if text else None


@pytest.mark.parametrize("row", ANSWERS, ids=lambda row: " ".join(filter(None, row.values())))
def test_the_answer(row: Row):
    limits = ClientLimits(
        status=row["status"],
        service=row["service"],
        available_e8=limit(row["available"]),
        blocked_countries=frozenset(filter(None, row["blocked"].split(", "))),
        max_rate_e10=money.parse_rate(row["max rate"]) if row["max rate"] else None,
        left_today_e8=limit(row["left today"]),
    )
    verdict = decide(limits, GB, int(row["reserve"] or 0))
    answer = (verdict.reason, verdict.max_seconds, verdict.held_seconds, verdict.hold_e8)
    most = int(row["max seconds"]) if row["max seconds"] else None
    assert answer == (row["reason"], most, int(row["held seconds"]), amount(row["held"]))


def test_what_costs_nothing_needs_no_money():
    for terms in (internal_terms("p"), CallTerms("prefix:44", 0, 60, 60)):
        for left in (None, 0, -1):
            verdict = decide(ClientLimits("active", "active", -5, left_today_e8=left), terms, 60)
            assert verdict == ("ok", MAX_SECONDS, 60, 0)
    assert decide(ClientLimits("active", "suspended", 5), internal_terms("p")).reason == "suspended"


def test_a_call_ends_where_its_hold_does():
    verdict = decide(ClientLimits("active", "active", 10**8), GB, 600)
    assert (hang_up_after(verdict, 600), hang_up_after(verdict, 0)) == (600, 3000)
    assert hang_up_after(decide(ClientLimits("active", "active", None), GB, 600), 600) is None


seconds = st.integers(1, 3600)
prices = st.builds(
    CallTerms,
    st.just("markup"),
    st.integers(0, 10**13),
    seconds,
    seconds,
    st.integers(0, 10**15),
    st.integers(0, 10**10),
    st.integers(0, 3600),
    st.integers(2, 8),
)


@given(prices, st.integers(-(10**10), 10**16))
def test_the_longest_call_is_affordable_and_a_longer_one_is_not(terms: CallTerms, available_e8: int):
    longest = affordable_seconds(terms, available_e8)
    assert 0 <= longest <= MAX_SECONDS
    assert amount_e8(terms, longest) <= max(0, available_e8)
    if available_e8 >= 0 and longest < MAX_SECONDS:
        assert amount_e8(terms, longest + 1) > available_e8


@given(prices, st.integers(1, 10**14), st.integers(1, MAX_SECONDS), st.one_of(st.none(), st.integers(1, 10**14)))
def test_never_more_is_held_than_there_is(terms: CallTerms, available_e8: int, reserve: int, left: int | None):
    verdict = decide(ClientLimits("active", "active", available_e8, left_today_e8=left), terms, reserve)
    assert verdict.hold_e8 <= min(available_e8, available_e8 if left is None else left)
    assert verdict.hold_e8 == amount_e8(terms, verdict.held_seconds)
    assert verdict.held_seconds <= reserve


# --- the set-ups of the document ------------------------------------------------------------------------------------

LIMITED = {"allowed": True, "reason": "ok", "max_seconds": 3000, "hangup_after": 600, "rate": "0.02"}
HELD = {**LIMITED, "id": "01J_ab", "expires_at": "2026-11-29T02:00:00Z"}
OPEN = {**HELD, "max_seconds": None, "hangup_after": None}
REFUSED = {**HELD, "allowed": False, "reason": "blocked", "max_seconds": 0, "hangup_after": 0, "id": None}


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    assert found
    return found[1]


def hash_of(answer: str) -> dict[str, str]:
    """What ``CURLOPT(hashcompat)=yes`` makes of an answer (``ast_uri_decode`` in the mode without ``+``)."""
    return {unquote(name): unquote(value) for name, _, value in (piece.partition("=") for piece in answer.split("&"))}


def test_the_form_has_the_fields_of_the_answer():
    from chalicelib.rating.shapes.authorizations import AuthorizationOut

    assert list(HELD) == list(AuthorizationOut.model_fields)
    assert hash_of(forms.encode(HELD)) == {**{k: str(v) for k, v in HELD.items()}, "allowed": "1"}
    assert hash_of(forms.encode({"a": "x&y=z, +%", "b": None, "c": False})) == {"a": "x&y=z, +%", "b": "", "c": "0"}


def test_the_dialplan_of_asterisk_reads_what_we_answer():
    dialplan = block("ini")
    used = set(re.findall(r"HASH\(AUTH,(\w+)\)", dialplan))
    assert used == {"allowed", "reason", "hangup_after", "id"} and used <= set(HELD)
    for line in dialplan.splitlines():
        assert all(line.count(a) == line.count(b) for a, b in ("()", "[]", "{}")), line
        assert not line or line[0] == "[" or re.match(r"(exten| same) => |[A-Z_]+=", line), line
    steps = re.findall(r"=> (?:\S+,1|n(?:\(\w+\))?),(\w+)\(", dialplan)
    assert set(steps) <= {"Dial", "ExecIf", "GotoIf", "Hangup", "Log", "NoOp", "Set"}
    labels = set(re.findall(r"n\((\w+)\)", dialplan))
    assert set(re.findall(r"\?(\w+)\)\n", dialplan)) == labels == {"allowed", "done"}


def test_the_dialplan_of_asterisk_sends_what_we_read():
    bodies = re.findall(r"Set\(BODY=(.*)\)\n", block("ini"))
    channel = {"CHANNEL(accountcode)": "alice", "NUMBER": "+4420", "UNIQUEID": "1790000000.42", "SPENT": "312"}
    request, finish = (re.sub(r"\$\{([^}]+)\}", lambda found: channel[found[1]], body) for body in bodies)
    sent = AuthorizationIn.model_validate(json.loads(request))
    assert (sent.account, sent.number, sent.call_id, sent.reserve_seconds) == ("alice", "+4420", "1790000000.42", 3600)
    assert FinishIn.model_validate(json.loads(finish)).seconds == 312


def curl_arguments(data: str) -> list[str]:
    """Split as ``switch_separate_string`` does: at blanks, but not within single quotes, which are taken away."""
    return [part.replace("'", "") for part in re.findall(r"(?:'[^']*'|[^' ])+", data)]


def test_the_dialplan_of_freeswitch_sends_what_we_read():
    (action,) = (one for one in ElementTree.fromstring(block("xml")).iter("action") if one.get("application") == "curl")
    url, *options = curl_arguments(action.get("data", ""))
    assert url.endswith("/v1/authorizations?format=text") and len(options) == 6
    given = dict(zip(options[::2], options[1::2], strict=True))
    assert given["content-type"] == "application/json" and given["append_headers"].startswith(
        "Authorization: Bearer fk_"
    )
    channel = {"${accountcode}": "alice", "$1": "+4420", "${uuid}": "6f1e"}
    body = re.sub(r"\$\{\w+\}|\$1", lambda found: channel[found[0]], given["post"])
    sent = AuthorizationIn.model_validate(json.loads(body))
    assert (sent.account, sent.number, sent.call_id) == ("alice", "+4420", "6f1e")


def matched(context: Any, answer: dict[str, Any], number: str) -> list[str]:
    """The actions that a FreeSWITCH context takes for an answer of ours."""
    taken = []
    for extension in context.iter("extension"):
        actions, passed = [], True
        for condition in extension.iter("condition"):
            field = forms.encode(answer) if condition.get("field") == "${curl_response_data}" else number
            found = re.search(condition.get("expression", ""), field)
            passed = passed and found is not None
            if passed and found:
                for action in condition.iter("action"):
                    data = action.get("data", "")
                    actions.append(
                        f"{action.get('application')} {data.replace('$1', found[1] if found.re.groups else '')}"
                    )
        if passed:
            taken += actions
            if extension.get("continue") != "true":
                break
    return taken


def test_the_dialplan_of_freeswitch_reads_what_we_answer():
    contexts = {one.get("name"): one for one in ElementTree.fromstring(block("xml")).iter("context")}
    answered = contexts["answered"]
    bridge, refuse = "bridge sofia/gateway/carrier/+4420", "hangup CALL_REJECTED"
    hangup = "set execute_on_answer=sched_hangup +600 ALLOTTED_TIMEOUT"
    assert matched(answered, HELD, "+4420") == [hangup, bridge]
    assert matched(answered, OPEN, "+4420") == [bridge]
    assert matched(answered, REFUSED, "+4420") == [refuse]
    assert matched(answered, {"type": "about:blank"}, "+4420") == [refuse]
    assert matched(contexts["customers"], {}, "911") == ["bridge sofia/gateway/carrier/911"]
