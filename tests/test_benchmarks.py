"""The benchmarks run and tell something; how fast is for ``make bench`` to say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from benchmarks import core
from benchmarks.sample import Samples
from benchmarks.shop import World
from benchmarks.table import MET, MISSED, Row, judged, render

ROOT = Path(__file__).parent.parent


def test_both_engines_come_to_the_same_sums_on_the_sample(tmp_path):
    samples = Samples(tmp_path, World())
    found = [core.measure(name, samples, 3_000, 50_000) for name in core.ENGINES]
    assert found[0]["lines"] == 3_000
    assert found[0]["sums"] == found[1]["sums"]
    assert all(each["cpu"] > 0 and each["peak_mb"] > 0 for each in found)


def test_the_command_writes_what_it_prints(tmp_path):
    out = tmp_path / "latest.json"
    command = [sys.executable, "-m", "benchmarks", "--only", "start", "--out", str(out), "--samples", str(tmp_path)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    rows = json.loads(out.read_text())["rows"]
    assert rows and all(row["what"] in ran.stdout for row in rows)


def test_a_bar_is_met_or_it_is_not():
    assert (judged(2, 3), judged(3, 2), judged(11, least=10), judged(9, least=10)) == (MET, MISSED, MET, MISSED)
    assert "NOT MET" in render([Row("core", "x", "1 s", 1, "<= 0.5 s", verdict=MISSED)])
