"""Cold starts: how long a fresh process takes to import each function, beside importing boto3 and making one client.

Functions are imported out of the zip that AWS gets, unpacked, by a Python that sees nothing else but boto3, which
Lambda brings along; when there is no packaging, or it fails, out of the working tree, and the table says so. Files
are warm in the disk's cache. Lambda fetches the zip as well, which cannot be measured here.

``python -m benchmarks.cold MODULE`` imports a module in its own process; ``boto3`` also makes a client.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import machine

STAGE = "dev"
HEAVY = ("numpy", "reportlab", "polars", "pandas")
"""What the API must never import: each takes longer than all the rest."""
BOTO3 = "boto3"
_RUNTIME = ("boto3", "s3transfer", "botocore", "jmespath", "dateutil", "urllib3", "six")
"""What Lambda has of its own, behind the zip."""
_ENVIRONMENT = {
    "FORFAIT_STAGE": STAGE,
    "FORFAIT_TABLE": "forfait-bench",
    "FORFAIT_BUCKET": "forfait-bench",
    "FORFAIT_QUEUE": "forfait-bench",
    "FORFAIT_HOURLY_QUEUE": "forfait-bench-hourly",
    "FORFAIT_SECRET": "forfait-bench",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_EC2_METADATA_DISABLED": "true",
}
_IMPORT = """
import sys, time
sys.path[0:0] = {paths!r}[:1]
sys.path += {paths!r}[1:]
began = time.perf_counter()
import {module}
if {module!r} == "boto3":
    boto3.client("dynamodb")
took = time.perf_counter() - began
import json
heavy = [name for name in {heavy!r} if name in sys.modules]
print(json.dumps({{"wall": took, "modules": len(sys.modules), "heavy": heavy}}))
"""


class Unpacked(NamedTuple):
    """Where modules are imported from; ``zip_bytes`` is ``None`` for the working tree, and ``why`` says why."""

    paths: list[str]
    entries: dict[str, str]
    zip_bytes: int | None
    why: str = ""


@contextmanager
def unpacked() -> Iterator[Unpacked]:
    """The package as Lambda would have it on its disk, or else the tree."""
    with tempfile.TemporaryDirectory(prefix="forfait-cold-") as folder:
        try:
            yield _packaged(Path(folder))
            return
        except _NoPackage as problem:
            why = str(problem)
        yield Unpacked([str(machine.ROOT)], _tree_entries(), None, why)


class _NoPackage(Exception):
    """Says why there is none."""


def _packaged(folder: Path) -> Unpacked:
    out = folder / "out"
    command = [sys.executable, "-m", "infra.package", "--stage", STAGE, "--out", str(out), "--allow-python"]
    ran = subprocess.run(command, cwd=machine.ROOT, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise _NoPackage((ran.stderr.strip() or "the packaging failed").splitlines()[-1])
    archive = next(out.glob("*.zip"))
    task = folder / "task"
    with zipfile.ZipFile(archive) as zipped:
        zipped.extractall(task)
    resources = json.loads((out / "template.json").read_text())["Resources"]
    entries = {
        name: each["Properties"]["Handler"].rpartition(".")[0]
        for name, each in resources.items()
        if each["Type"] == "AWS::Serverless::Function"
    }
    return Unpacked([str(task), str(_runtime(folder / "runtime"))], entries, archive.stat().st_size)


def _runtime(folder: Path) -> Path:
    """boto3 and what it needs, out of this environment."""
    folder.mkdir()
    for name in _RUNTIME:
        origin = Path(str(importlib.util.find_spec(name).origin))  # type: ignore[union-attr]
        found = origin.parent if origin.name == "__init__.py" else origin
        (folder / found.name).symlink_to(found)
    return folder


def _tree_entries() -> dict[str, str]:
    """Each function's name and the module that Lambda would import, read from the application."""
    ask = (
        "import json; from app import app; from local.events import functions_of; "
        "print(json.dumps({f.name: f.handler.rpartition('.')[0] for f in functions_of(app)}))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", ask], cwd=machine.ROOT, env=_environ(), capture_output=True, text=True, check=True
    )
    return {"APIHandler": "app", **json.loads(ran.stdout)}


def _environ() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FORFAIT_", "AWS_"))}
    return kept | _ENVIRONMENT


def import_once(place: Unpacked, module: str) -> dict[str, Any]:
    """Import a module in a fresh process: ``wall`` seconds, ``modules`` loaded, ``heavy`` ones among them."""
    packaged = place.zip_bytes is not None
    # -I -S: no site-packages of this environment, so that only the zip is seen.
    alone = ["-I", "-S"] if packaged else []
    code = _IMPORT.format(paths=place.paths, module=module, heavy=HEAVY)
    ran = subprocess.run(
        [sys.executable, *alone, "-c", code],
        cwd=place.paths[0],
        env=_environ(),
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise RuntimeError(f"importing {module} failed:\n{ran.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def measure(place: Unpacked, rounds: int) -> dict[str, list[dict[str, Any]]]:
    """Every entry module and boto3, in turn; the first turn warms the disk's cache and does not count."""
    modules = [BOTO3, *dict.fromkeys(place.entries.values())]
    measures = [lambda module=module: import_once(place, module) for module in modules]
    return {
        module: found[1:] for module, found in zip(modules, machine.alternately(rounds + 1, *measures), strict=True)
    }
