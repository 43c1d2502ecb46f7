"""Fresh processes, their time and memory, and a description of the machine."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ONE_THREAD = dict.fromkeys(("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_PACKAGES = ("boto3", "chalice", "ministack", "numpy", "polars", "pydantic", "pynamodb")


def in_child(module: str, *arguments: object, environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What ``python -m benchmarks.<module> <arguments>`` prints as its last line of JSON, in a fresh process.

    ``RuntimeError`` with its error output when it fails.
    """
    ran = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)],
        cwd=ROOT,
        env={**(os.environ if environ is None else environ), **ONE_THREAD},
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise RuntimeError(f"benchmarks.{module} failed:\n{ran.stderr[-4000:]}")
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found


def timed(work: Callable[[], Any]) -> dict[str, Any]:
    """Run ``work`` in this process: its result, seconds by the clock and of the processor, highest memory in MB."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"result": result, "wall": wall, "cpu": cpu, "peak_mb": peak_mb()}


def peak_mb(pid: int | None = None) -> float | None:
    """The most memory a process has held so far, in MB (1e6 bytes); ``None`` for another process where unknown.

    Not ``getrusage`` where there is ``/proc``: that counts what the parent held when it started us.
    """
    status = Path(f"/proc/{pid or 'self'}/status")
    try:
        text = status.read_text()
    except OSError:
        if pid is not None:
            return None
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most / 1e6 if sys.platform == "darwin" else most * 1024 / 1e6
    kilobytes = next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmHWM"))
    return kilobytes * 1024 / 1e6


def forget_peak(pid: int) -> None:
    """Let ``peak_mb`` of a process begin again with what it holds now, where the system can do that."""
    with suppress(OSError):
        Path(f"/proc/{pid}/clear_refs").write_text("5")


def cpu_seconds(pid: int) -> float:
    """Processor seconds, of the user and of the system, that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def child_running(parent: int, word: str) -> int | None:
    """The process id of a child of ``parent`` with ``word`` among its arguments; ``None`` when there is none."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            is_child = int(status.read_text().rpartition(")")[2].split()[1]) == parent
            words = status.with_name("cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if is_child and word.encode() in words:
            return int(status.parent.name)
    return None


def alternately(rounds: int, *measures: Callable[[], dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Run several measures in turn, ``rounds`` times, so that what slows the machine meanwhile slows each of them."""
    found: list[list[dict[str, Any]]] = [[] for _ in measures]
    for _ in range(rounds):
        for results, measure in zip(found, measures, strict=True):
            results.append(measure())
    return found


def middle(results: Sequence[Mapping[str, Any]], name: str) -> float:
    """The median of one figure."""
    return float(median(each[name] for each in results))


def ratio(results: Sequence[Mapping[str, Any]], base: Sequence[Mapping[str, Any]], name: str) -> float:
    """The median of the ratios of measures that were taken in the same turn."""
    return float(median(mine[name] / theirs[name] for mine, theirs in zip(results, base, strict=True)))


def about() -> dict[str, Any]:
    """The machine, its Python and libraries, and the date."""
    versions = {}
    for name in _PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "load_at_start": round(os.getloadavg()[0], 2),
        "packages": versions,
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
