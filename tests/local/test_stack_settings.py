"""What a person sets wins over what the local stack would set by itself."""

from __future__ import annotations

import json
import re
import socket
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.settings import SET_BY_STACK, given
from local.stack import Stack

ROOT = Path(__file__).resolve().parents[2]
CHOSEN = {
    "FORFAIT_STAGE": "local",
    "FORFAIT_TABLE": "my-table",
    "FORFAIT_BUCKET": "my-bucket",
    "FORFAIT_QUEUE": "my-queue",
    "FORFAIT_HOURLY_QUEUE": "my-hourly",
    "FORFAIT_MAIL_FROM": "me@mine.example",
    "FORFAIT_OPERATOR_KEY": "fo_mine",
    "FORFAIT_SIGNING_KEY": "mine",
    "FORFAIT_PAYPAL_LOCAL_URL": "http://127.0.0.1:9",
}


def settings_of_the_application() -> list[str]:
    """The variables of the first table of ``docs/configuration.md``."""
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    return re.findall(r"^\| `(FORFAIT_\w+)`", text.partition("## The local stack")[0], re.MULTILINE)


def test_every_setting_of_the_application_wins_in_the_api_and_in_event_functions(tmp_path: Path) -> None:
    assert CHOSEN.keys() == set(SET_BY_STACK)
    names = settings_of_the_application()
    assert CHOSEN.keys() < set(names)
    chosen = {name: CHOSEN.get(name, f"given for {name}") for name in names}
    with Stack(tmp_path, app="tinyapp", app_folder=Path(__file__).parent / "data", settings=chosen) as stack:
        with urllib.request.urlopen(f"{stack.url}/settings", timeout=20) as answer:
            in_api = json.load(answer)
        in_functions = stack.run_schedule("daily", datetime(2026, 12, 3, 5, tzinfo=UTC))["settings"]
        assert {name: in_api[name] for name in names} == chosen
        assert {name: in_functions[name] for name in names} == chosen
        assert (stack.operator_key, stack.paypal_url) == ("fo_mine", "http://127.0.0.1:9")
        assert stack.client("dynamodb").list_tables()["TableNames"] == ["my-table"]
        assert [each["Name"] for each in stack.client("s3").list_buckets()["Buckets"]] == ["my-bucket"]
        queues = {url.rpartition("/")[2] for url in stack.client("sqs").list_queues()["QueueUrls"]}
        assert queues == {"my-queue", "my-queue-dead"}
        log = stack.folder.log.read_text()
        assert "http://127.0.0.1:9 (FORFAIT_PAYPAL_LOCAL_URL)" in log
        assert "stand-in" not in log
    assert {name: stack.environment()[name] for name in CHOSEN} == CHOSEN


def test_an_empty_variable_is_not_set_but_for_the_sender_of_emails() -> None:
    assert given(dict.fromkeys(SET_BY_STACK, ""), SET_BY_STACK) == {"FORFAIT_MAIL_FROM": ""}
    assert given({}, SET_BY_STACK) == {}


def test_another_stage_is_refused_and_named() -> None:
    with pytest.raises(SystemExit, match="FORFAIT_STAGE must be local on the local stack, not 'prod'"):
        given({"FORFAIT_STAGE": "prod"}, SET_BY_STACK)


@pytest.mark.parametrize("name", ["FORFAIT_PORT", "FORFAIT_AWS_PORT", "FORFAIT_PAYPAL_PORT"])
def test_a_port_in_use_names_its_setting(name: str, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(RuntimeError, match=f"{port}: Address already in use; set {name} to another port, or to 0"):
            Stack(tmp_path, settings={name: str(port)}).start()
