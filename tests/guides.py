"""Guides whose commands are run: the ``sh`` blocks of a Markdown file, and the answers that it shows.

A ``sh`` block is run by bash, in the shell of the blocks before it. What it prints is shown by the block that follows:
``json`` (at least these fields, these very items), or ``text`` (these lines). ``...`` stands for anything. A block that
is not followed by one prints nothing. All blocks succeed, and none writes to standard error.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANYTHING = "..."


@dataclass(frozen=True)
class Step:
    """A command of a guide: the line where it begins, and what is shown as its answer."""

    line: int
    command: str
    kind: str = ""
    shown: str = ""


@dataclass(frozen=True)
class Ran:
    """What came of a step."""

    step: Step
    status: int
    output: str
    errors: str

    def faults(self) -> list[str]:
        """Where the guide and the truth differ."""
        told = f"line {self.step.line}: "
        if self.status or self.errors:
            return [f"{told}exit status {self.status}: {self.errors}{self.output[:500]}"]
        if self.step.kind == "json":
            try:
                answered = json.loads(self.output)
            except ValueError:
                return [f"{told}is not JSON: {self.output[:500]}"]
            return [told + fault for fault in differences(json.loads(self.step.shown), answered, "answer")]
        if not fits(self.step.shown.strip(), self.output.replace("\r\n", "\n").strip()):
            return [f"{told}printed {self.output[:2000]!r}"]
        return []


def steps(text: str) -> list[Step]:
    """The commands of a guide, each with the block right behind it."""
    found: list[Step] = []
    for match in _BLOCK.finditer(text):
        kind, body, line = match[1], match[2], text.count("\n", 0, match.start()) + 1
        if kind == "sh":
            found.append(Step(line, body))
        elif kind in ("json", "text"):
            before = text[: match.start()]
            assert before.endswith("```\n") and found and not found[-1].kind, f"line {line}: shows no command's answer"
            found[-1] = Step(found[-1].line, found[-1].command, kind, body)
        else:
            raise AssertionError(f"line {line}: a block is sh, json or text, not {kind}")
    return found


def run(found: list[Step], folder: Path, environ: dict[str, str], timeout: int = 120) -> list[Ran]:
    """Run all steps in one shell, in ``folder``."""
    script = "".join(
        f"{{\n{step.command}}} >.guide-{n}.out 2>.guide-{n}.err </dev/null\necho $? >.guide-{n}.status\n"
        for n, step in enumerate(found)
    )
    subprocess.run(["bash"], input=script, cwd=folder, env=environ, text=True, timeout=timeout, check=True)

    def read(n: int, what: str) -> str:
        # Not read_text: it would make CR LF plain LF.
        return (folder / f".guide-{n}.{what}").read_bytes().decode()

    return [Ran(step, int(read(n, "status")), read(n, "out"), read(n, "err")) for n, step in enumerate(found)]


def differences(shown: Any, answered: Any, place: str) -> Iterator[str]:
    """Where an answer is not as shown. It may have more fields than are shown, but not more items."""
    if isinstance(shown, dict) and isinstance(answered, dict):
        for name, value in shown.items():
            if name in answered:
                yield from differences(value, answered[name], f"{place}.{name}")
            else:
                yield f"{place} has no {name}"
    elif isinstance(shown, list) and isinstance(answered, list) and len(shown) == len(answered):
        for n, (one, other) in enumerate(zip(shown, answered, strict=True)):
            yield from differences(one, other, f"{place}[{n}]")
    elif isinstance(shown, str) and isinstance(answered, str):
        if not fits(shown, answered):
            yield f"{place} is {answered!r}, not {shown!r}"
    elif type(shown) is not type(answered) or shown != answered:
        yield f"{place} is {json.dumps(answered)[:500]}, not {json.dumps(shown)}"


def fits(shown: str, told: str) -> bool:
    """Whether a text is as shown, where ``...`` is anything."""
    pattern = ".*".join(re.escape(part) for part in shown.split(ANYTHING))
    return re.fullmatch(pattern, told, re.DOTALL) is not None
