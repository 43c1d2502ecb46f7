"""The guides of the documentation, run as they stand against ``make serve``."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from guides import Ran, Step, differences, fits, run, steps

from local.stack import Stack

pytestmark = pytest.mark.system

ROOT = Path(__file__).parent.parent
GUIDES = ("guide-api.md",)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with Stack(tmp_path / "state") as running:
        yield running


@pytest.mark.parametrize("name", GUIDES)
def test_every_command_of_a_guide_answers_what_the_guide_shows(name: str, stack: Stack, tmp_path: Path) -> None:
    found = steps((ROOT / "docs" / name).read_text())
    assert len(found) > 20
    environ = {**os.environ, "BASE": stack.url, "KEY": stack.operator_key, "no_proxy": "127.0.0.1"}
    ran = run(found, tmp_path, environ)
    assert [fault for one in ran for fault in one.faults()] == []


@pytest.mark.parametrize(
    ("answer", "status"),
    [('{"status": "published"}', 0), ('{"status": "refused"}', 1), ('{"status": "failed"}', 1), ("", 1)],
)
def test_the_guide_waits_for_no_more_than_half_a_minute_and_not_for_what_is_refused(
    answer: str, status: int, tmp_path: Path
) -> None:
    first = steps((ROOT / "docs" / GUIDES[0]).read_text())[0]
    wait_for = first.command[first.command.index("wait_for()") : first.command.index("# Is the key right?")]
    # 150 times 0.2 s, which need not pass here.
    stubs = f"curl() {{ echo '{answer}'; }}\nsleep() {{ SLEPT=$((SLEPT + 1)); }}\nSLEPT=0\n"
    [ran] = run([Step(1, f"{stubs}{wait_for}wait_for published x y\n")], tmp_path, dict(os.environ))
    assert (ran.status, ran.errors.strip()) == (status, answer if status else "")
    assert "\nuntil " not in "".join(step.command for step in steps((ROOT / "docs" / GUIDES[0]).read_text()))


def test_blocks_are_read_with_the_answer_right_behind_them() -> None:
    text = "A\n```sh\nfirst\n```\n```json\n{}\n```\nB\n```sh\nsecond\n```\n"
    assert steps(text) == [Step(2, "first\n", "json", "{}\n"), Step(9, "second\n")]
    for wrong in ("```json\n{}\n```\n", "```sh\na\n```\n\n```text\nb\n```\n", "```bash\na\n```\n"):
        with pytest.raises(AssertionError, match=r"line [145]: "):
            steps(wrong)


def test_blocks_share_a_shell_and_its_variables(tmp_path: Path) -> None:
    found = [Step(1, "X=5\ndouble() { echo $(($1 * 2)); }\n"), Step(2, "double $X\n", "text", "10\n")]
    assert [one.faults() for one in run(found, tmp_path, dict(os.environ))] == [[], []]


@pytest.mark.parametrize(
    ("shown", "told", "same"),
    [
        ({"a": "1"}, {"a": "1", "b": "2"}, True),
        ({"a": "1"}, {"a": "2"}, False),
        ({"a": "..."}, {"a": "anything"}, True),
        ({"a": "..."}, {"a": None}, False),
        ({"a": "fk_..."}, {"a": "fk_123"}, True),
        ({"a": "fk_..."}, {"a": "fo_123"}, False),
        ({"a": 0}, {"a": False}, False),
        ({"a": None}, {}, False),
        ({"a": [1]}, {"a": [1, 2]}, False),
        ({"a": [{"b": 1}]}, {"a": [{"b": 1, "c": 2}]}, True),
        ({"a": [1]}, {"a": {"0": 1}}, False),
    ],
)
def test_an_answer_is_as_shown(shown: object, told: object, same: bool) -> None:
    assert (not list(differences(shown, told, "answer"))) == same
    ran = Ran(Step(1, "x", "json", json.dumps(shown)), 0, json.dumps(told), "")
    assert (ran.faults() == []) == same


@pytest.mark.parametrize(
    ("step", "status", "output", "errors"),
    [
        (Step(1, "x"), 0, "something", ""),
        (Step(1, "x"), 1, "", ""),
        (Step(1, "x"), 0, "", "curl: broken"),
        (Step(1, "x", "text", "a\n...\nc\n"), 0, "a\nb\nd\n", ""),
        (Step(1, "x", "json", "{}"), 0, "<html>", ""),
    ],
)
def test_what_the_guide_does_not_say_is_a_fault(step: Step, status: int, output: str, errors: str) -> None:
    assert len(Ran(step, status, output, errors).faults()) == 1
    assert fits("a\n...\nc", "a\nb\nb\nc") and not fits("a.c", "abc")
