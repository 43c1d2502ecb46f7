"""The set-ups that ``docs/authorizations.md`` shows for Asterisk and FreeSWITCH, with what the API answers to them."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import pytest

from chalicelib.rating.shapes.authorizations import AuthorizationIn, AuthorizationOut, FinishIn
from chalicelib.web import forms

TEXT = (Path(__file__).parents[3] / "docs" / "authorizations.md").read_text(encoding="utf-8")
UK, DID = "+442079460000", "+14165550177"

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
    assert list(HELD) == list(AuthorizationOut.model_fields)
    assert hash_of(forms.encode(HELD)) == {**{k: str(v) for k, v in HELD.items()}, "allowed": "1"}
    assert hash_of(forms.encode({"a": "x&y=z, +%", "b": None, "c": False})) == {"a": "x&y=z, +%", "b": "", "c": "0"}


# --- Asterisk --------------------------------------------------------------------------------------------------------


def contexts_of_asterisk() -> dict[str, list[str]]:
    """The lines of each context of the dialplan."""
    contexts: dict[str, list[str]] = {}
    for line in block("ini").splitlines():
        if line.startswith("["):
            lines = contexts[line.strip("[]")] = []
        elif line:
            lines.append(line)
    return contexts


def filled(text: str, channel: dict[str, str]) -> str:
    """A text with the variables of a channel, the innermost first, as Asterisk fills them in."""
    while found := re.search(r"\$\{([^${}]+)\}", text):
        text = text.replace(found[0], channel[found[1]])
    return text


def arguments_of_ask(context: str, channel: dict[str, str]) -> dict[str, str]:
    """What a context hands to ``ask``: ``ARG1`` and so on."""
    (call,) = re.findall(r"Gosub\(forfait,ask,1\((.*)\)\)$", "\n".join(contexts_of_asterisk()[context]), re.MULTILINE)
    return {f"ARG{n}": value for n, value in enumerate(filled(call, channel).split(","), 1)}


def test_the_dialplan_of_asterisk_is_whole_and_reads_what_we_answer():
    dialplan, contexts = block("ini"), contexts_of_asterisk()
    used = set(re.findall(r"HASH\(AUTH,(\w+)\)", dialplan))
    assert used == {"allowed", "reason", "hangup_after", "id"} and used <= set(HELD)
    for line in dialplan.splitlines():
        assert all(line.count(a) == line.count(b) for a, b in ("()", "[]", "{}")), line
        assert not line or line[0] == "[" or re.match(r"(exten| same) => |[A-Z_]+=", line), line
    steps = re.findall(r"=> (?:\S+,1|n(?:\(\w+\))?),(\w+)\(", dialplan)
    assert set(steps) <= {"Dial", "ExecIf", "Gosub", "GotoIf", "Hangup", "Log", "Return", "Set"}
    for name in ("from-customers", "from-carrier"):
        lines = "\n".join(contexts[name])
        labels = set(re.findall(r"n\((\w+)\)", lines))
        assert set(re.findall(r"\?(\w+)\)$", lines, re.MULTILINE)) == labels == {"allowed"}
        # Asked before it dials, and refused unless the answer allows it.
        assert re.search(
            r"Gosub\(forfait,ask.*GotoIf.*\"1\"\]\?allowed.*Hangup\(21\).*n\(allowed\),Dial\(", lines, re.DOTALL
        )
        assert "exten => h,1,Gosub(forfait,finish,1)" in contexts[name]


class Asterisk:
    """Does what the context ``forfait`` does with ``CURL``: the same requests to the API, by the same headers."""

    def __init__(self, shop: Any) -> None:
        self._shop, self._lines = shop, contexts_of_asterisk()["forfait"]
        (address,) = re.findall(r"^FORFAIT=(.*)$", block("ini"), re.MULTILINE)
        self.channel = {"FORFAIT": address, "FORFAIT_KEY": shop.key, "UNIQUEID": "1790000000.42"}

    def run(self, exten: str, variable: str, **channel: str) -> str:
        """Run the lines of an extension up to its ``CURL``, and return what it answers, which ``variable`` gets."""
        begin = next(n for n, line in enumerate(self._lines) if line.startswith(f"exten => {exten},1,"))
        self.channel |= channel
        headers: dict[str, str] = {}
        for line in self._lines[begin:]:
            if found := re.search(r"Set\(CURLOPT\(httpheader\)=(.*)\)$", line):
                name, _, value = filled(found[1], self.channel).partition(": ")
                headers[name.lower()] = value
            elif found := re.search(r"Set\((BODY)=(.*)\)$", line):
                self.channel["BODY"] = filled(found[2], self.channel)
            elif found := re.search(rf"Set\({re.escape(variable)}=\$\{{CURL\((.*?),\$\{{BODY\}}\)\}}\)$", line):
                url = urlsplit(filled(found[1], self.channel))
                self.headers = headers or self.headers
                path = f"{url.path}?{url.query}" if url.query else url.path
                reply = self._shop.with_key("").send("POST", path, self.channel["BODY"].encode(), headers=self.headers)
                assert reply.status in (200, 201), reply.text
                return str(reply.text)
        raise AssertionError(f"{exten} sends nothing")

    def ask(self, context: str, **channel: str) -> dict[str, str]:
        answer = hash_of(self.run("ask", "HASH(AUTH)", **arguments_of_ask(context, channel)))
        self.channel |= {f"HASH(AUTH,{name})": value for name, value in answer.items()}
        return answer

    def finish(self, seconds: int) -> dict[str, Any]:
        return dict(json.loads(self.run("finish", "FINISHED", SPENT=str(seconds))))


@pytest.fixture
def shop(reseller: Any, deck: str) -> Any:
    """A reseller with a strict client ``alice`` who has paid 1.00, and has a sub-account and a DID at 0.01 a minute."""
    package = reseller.made("/v1/packages", {"name": "At cost"})["id"]
    client = reseller.ids["alice"] = reseller.made("/v1/clients", {"balance_mode": "strict"})["id"]
    reseller.made("/v1/subaccounts", {"username": "alice", "client_id": client, "package_id": package})
    reseller.made(f"/v1/clients/{client}/payments", {"amount": "1.00", "description": "paid"})
    return reseller


@pytest.fixture
def did(shop: Any, operator: Any) -> Iterator[str]:
    """A number of the operator's that ``alice`` has during the test."""
    if not any(item["number"] == DID for item in operator.get("/v1/inventory?limit=200").json["items"]):
        operator.made("/v1/inventory", {"number": DID, "monthly": "0", "setup": "0", "per_minute": "0.005"})
    assert shop.post(f"/v1/dids/{DID}/order").status == 200
    terms = {"client_id": shop.ids["alice"], "per_minute": "0.01", "charge_setup": False, "charge_monthly": False}
    assert shop.post(f"/v1/dids/{DID}/assign", {**terms, "monthly": "0", "setup": "0"}).status == 200
    yield DID
    assert shop.post(f"/v1/dids/{DID}/release", {}).status == 200
    assert shop.post(f"/v1/dids/{DID}/cancel").status == 200


def suspend(shop: Any) -> None:
    shop.made(f"/v1/clients/{shop.ids['alice']}/charges", {"amount": "5", "description": "all of it"})


def test_asterisk_asks_both_ways_and_finishes_what_it_asked(shop, did):
    outbound, inbound = Asterisk(shop), Asterisk(shop)
    answer = outbound.ask("from-customers", **{"CHANNEL(accountcode)": "alice", "NUMBER": UK})
    assert (answer["allowed"], answer["hangup_after"], answer["rate"]) == ("1", "3000", "0.02")
    ended = outbound.finish(60)
    assert (ended["id"], ended["seconds"], ended["amount"]) == (answer["id"], 60, "0.02")
    answer = inbound.ask("from-carrier", NUMBER=did)
    assert (answer["allowed"], answer["hangup_after"], answer["rate"]) == ("1", "3600", "0.01")
    assert inbound.finish(60)["amount"] == "0.01"
    suspend(shop)
    for context, number in (("from-customers", UK), ("from-carrier", did)):
        later = Asterisk(shop)
        later.channel["UNIQUEID"] = "1790000001.43"
        refused = later.ask(context, **{"CHANNEL(accountcode)": "alice", "NUMBER": number})
        assert (refused["allowed"], refused["reason"]) == ("0", "suspended")


@pytest.fixture
def web(shop: Any) -> Iterator[str]:
    """The API on a port of this machine, for a command that makes its own connections."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items() if name.lower() != "content-length"}
            reply = shop.with_key("").send("POST", self.path, body, headers=headers)
            self.send_response(reply.status)
            self.end_headers()
            self.wfile.write(reply.text.encode())

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def agi(folder: Path, web: str, key: str, *arguments: str) -> dict[str, str]:
    """The variables that ``forfait.agi`` sets, run as Asterisk runs it."""
    settings, script = folder / "forfait.conf", folder / "forfait.agi"
    settings.write_text(f"FORFAIT={web}/v1/authorizations\nFORFAIT_KEY={key}\n")
    assert "/etc/asterisk/forfait.conf" in block("sh")
    script.write_text(block("sh").replace("/etc/asterisk/forfait.conf", str(settings)))
    sent = "agi_request: forfait.agi\nagi_uniqueid: 1790000000.7\nagi_accountcode: alice\n\n" + "200 result=1\n" * 20
    environ = {"PATH": "/usr/bin:/bin", "no_proxy": "127.0.0.1"}
    ran = subprocess.run(
        ["bash", str(script), *arguments],
        input=sent,
        text=True,
        capture_output=True,
        env=environ,
        timeout=30,
        check=True,
    )
    assert ran.stderr == ""
    lines = [re.fullmatch(r'SET VARIABLE AUTH_(\w+) "(.*)"', line) for line in ran.stdout.splitlines()]
    return {line[1]: line[2] for line in lines if line}


def test_the_agi_script_asks_both_ways(shop, did, web, tmp_path):
    answer = agi(tmp_path, web, shop.key, "outbound", "alice", UK)
    assert list(answer) == list(AuthorizationOut.model_fields)
    assert (answer["allowed"], answer["hangup_after"]) == ("1", "3000")
    # The hold has the call's id of Asterisk: asked again, it is the same.
    assert agi(tmp_path, web, shop.key, "outbound", "alice", UK)["id"] == answer["id"]
    assert shop.delete(f"/v1/authorizations/{answer['id']}").status == 204
    assert agi(tmp_path, web, shop.key, "inbound", "", did)["hangup_after"] == "3600"
    assert agi(tmp_path, web, "fk_wrong", "inbound", "", did) == {}
    assert agi(tmp_path, "http://127.0.0.1:1", shop.key, "inbound", "", did) == {}


# --- FreeSWITCH ------------------------------------------------------------------------------------------------------


def contexts_of_freeswitch() -> dict[str, Any]:
    return {str(one.get("name")): one for one in ElementTree.fromstring(block("xml")).iter("context")}


def curl_arguments(data: str) -> list[str]:
    """Split as ``switch_separate_string`` does: at blanks, but not within single quotes, which are taken away."""
    return [part.replace("'", "") for part in re.findall(r"(?:'[^']*'|[^' ])+", data)]


def curl_of(context: str, channel: dict[str, str]) -> tuple[str, dict[str, str]]:
    """The address and the options of the one ``curl`` action of a context, with the variables of a channel."""
    (action,) = (one for one in contexts_of_freeswitch()[context].iter("action") if one.get("application") == "curl")
    data = re.sub(r"\$\{\w+\}|\$1", lambda found: channel[found[0]], str(action.get("data")))
    url, *options = curl_arguments(data)
    assert len(options) == 6
    return url, dict(zip(options[::2], options[1::2], strict=True))


def matched(context: Any, answer: str, number: str) -> list[str]:
    """The actions that a FreeSWITCH context takes for an answer of ours."""
    taken = []
    for extension in context.iter("extension"):
        actions, passed = [], True
        for condition in extension.iter("condition"):
            field = answer if condition.get("field") == "${curl_response_data}" else number
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


@pytest.mark.parametrize(
    ("context", "connect"),
    [("answered", "bridge sofia/gateway/carrier/+4420"), ("answered-inbound", "transfer +4420 XML dids")],
)
def test_the_dialplan_of_freeswitch_reads_what_we_answer(context, connect):
    answered, refuse = contexts_of_freeswitch()[context], "hangup CALL_REJECTED"
    hangup = "set execute_on_answer=sched_hangup +600 ALLOTTED_TIMEOUT"
    assert matched(answered, forms.encode(HELD), "+4420") == [hangup, connect]
    assert matched(answered, forms.encode(OPEN), "+4420") == [connect]
    assert matched(answered, forms.encode(REFUSED), "+4420") == [refuse]
    assert matched(answered, forms.encode({"type": "about:blank"}), "+4420") == [refuse]


def test_freeswitch_lets_emergency_calls_through_unasked():
    assert matched(contexts_of_freeswitch()["customers"], "", "911") == ["bridge sofia/gateway/carrier/911"]


@pytest.mark.parametrize(("asking", "number", "limit"), [("customers", UK, 3000), ("public", DID, 3600)])
def test_freeswitch_asks_both_ways(shop, did, asking, number, limit):
    (*_, transfer) = matched(contexts_of_freeswitch()[asking], "", number)
    answering = transfer.split()[-1]

    def asked(uuid: str) -> list[str]:
        url, options = curl_of(asking, {"${accountcode}": "alice", "$1": number, "${uuid}": uuid})
        name, _, value = options["append_headers"].partition(": ")
        assert (name, value) == ("Authorization", "Bearer fk_put_the_key_here")
        headers = {"content-type": options["content-type"], "authorization": f"Bearer {shop.key}"}
        parts = urlsplit(url)
        reply = shop.with_key("").send("POST", f"{parts.path}?{parts.query}", options["post"].encode(), headers=headers)
        return matched(contexts_of_freeswitch()[answering], reply.text, number)

    hangup, connect = asked("6f1e")
    assert hangup == f"set execute_on_answer=sched_hangup +{limit} ALLOTTED_TIMEOUT" and number in connect
    suspend(shop)
    assert asked("6f1f") == ["hangup CALL_REJECTED"]


def test_the_requests_name_every_field_that_the_shapes_have():
    """A set-up that leaves out a field which the API has gained would be noticed here."""
    body = json.loads(curl_of("public", {"$1": DID, "${uuid}": "u"})[1]["post"])
    outbound = json.loads(curl_of("customers", {"$1": UK, "${uuid}": "u", "${accountcode}": "alice"})[1]["post"])
    assert set(body) | set(outbound) == set(AuthorizationIn.model_fields)
    assert list(FinishIn.model_fields) == ["seconds"]
