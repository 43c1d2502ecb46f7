"""``docs/configuration.md`` names every FORFAIT_ variable that the code reads, and none that it does not."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VARIABLE = re.compile(r"\bFORFAIT_[A-Z0-9_]+\b")


def variables(*paths: Path) -> set[str]:
    return {name for path in paths for name in VARIABLE.findall(path.read_text(encoding="utf-8"))}


def test_every_variable_is_documented_and_every_documented_variable_exists() -> None:
    read = variables(*ROOT.glob("chalicelib/**/*.py"), *ROOT.glob("local/**/*.py"), ROOT / "Makefile")
    documented = variables(ROOT / "docs" / "configuration.md")
    assert read - documented == set()
    assert documented - read == set()
