"""One real package of the application for all tests of ``infra``: what Chalice and pip make takes seconds.

It is the stage ``dev``, packaged for the Python that runs the tests, whichever that is.
"""

from __future__ import annotations

import fcntl
import json
import os
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from infra import package

STAGE = "dev"


@dataclass(frozen=True)
class Package:
    """What ``python -m infra.package --stage dev`` wrote."""

    folder: Path

    @property
    def template_path(self) -> Path:
        return self.folder / "template.json"

    @cached_property
    def template(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.template_path.read_text())
        return found

    def properties(self, logical_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.template["Resources"][logical_id]["Properties"]
        return found

    @property
    def archive(self) -> Path:
        return next(self.folder.glob("*.zip"))

    @cached_property
    def names(self) -> list[str]:
        with zipfile.ZipFile(self.archive) as zipped:
            return zipped.namelist()


@pytest.fixture(scope="session")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """Made once, also when several processes run the tests."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "package"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "template.json").exists():
            package.package(STAGE, folder, allow_python=True)
    return Package(folder)
