"""A large import of clients on a local stack of its own: from the request that begins it to its last line."""

from __future__ import annotations

import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.shop import ask, connect
from benchmarks.table import Row, seconds
from local.stack import Stack

PATIENCE_SECONDS = 3_600
LOOK_EVERY = 0.5
_TITLES = "Account Number,First Name,Last Name,Company Name,Email,City,Country,Balance,Billing Type\n"


def clients(lines: int) -> str:
    """The file of clients of another system, with an opening balance on each line."""
    return _TITLES + "".join(
        f'{n},Ana,Roe,Client {n},ana{n}@cedar.example,Lyon,France,"$1,{n % 900 + 100}.20",Prepaid\n'
        for n in range(lines)
    )


def measure(lines: int) -> dict[str, Any]:
    """Import so many clients: seconds of the request and in all, processor seconds and megabytes of the worker.

    ``RuntimeError`` unless every line is applied.
    """
    with tempfile.TemporaryDirectory(prefix="forfait-import-") as folder, Stack(Path(folder)) as stack:
        reseller = {"name": "Voix", "email": "a@voix.example"}
        key = _send(stack.url, stack.operator_key, "POST", "/v1/resellers", reseller)["api_key"]
        worker, body = machine.child_running(stack.running.pid, "worker"), {"clients": clients(lines), "columns": {}}
        before, began = machine.cpu_seconds(worker) if worker else 0.0, time.perf_counter()
        found = _send(stack.url, key, "POST", "/v1/imports", body)
        answered, until = time.perf_counter() - began, time.monotonic() + PATIENCE_SECONDS
        while found["status"] != "done" and time.monotonic() < until:
            time.sleep(LOOK_EVERY)
            found = _send(stack.url, key, "GET", f"/v1/imports/{found['id']}")
        wall = time.perf_counter() - began
        if (found["status"], found["done"]) != ("done", lines):
            raise RuntimeError(f"the import went wrong: {found}")
        cpu = machine.cpu_seconds(worker) - before if worker else 0.0
        return {"answered": answered, "wall": wall, "cpu": cpu, "peak_mb": machine.peak_mb(worker) if worker else None}


def _send(url: str, key: str, method: str, path: str, body: Any = None) -> Any:
    """A request over a connection of its own: between two looks, an open one may be closed."""
    with closing(connect(url)) as connection:
        return ask(connection, key, method, path, body)


def rows(lines: int) -> list[Row]:
    """The rows of the table for an import of so many clients."""
    found = measure(lines)
    what, rate = f"{lines:,} clients with balances", lines / found["wall"]
    made = [
        Row("import", what, f"{seconds(found['wall'])} ({rate:,.0f} lines/s)", found["wall"]),
        Row("import", "  until the request is answered", seconds(found["answered"]), found["answered"]),
        Row("import", "  of it the process that applies them", f"{seconds(found['cpu'])} CPU", found["cpu"]),
    ]
    if found["peak_mb"] is not None:
        made.append(Row("import", "  memory of that process", f"{found['peak_mb']:,.0f} MB", found["peak_mb"]))
    return made
