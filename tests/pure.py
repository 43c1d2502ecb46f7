"""Pure tests: what runs in this process alone, without the emulated AWS; ``make test-quick`` runs no others.

A test is pure unless it asks for the fixture ``aws``, itself or through another fixture, is marked ``system``, or is in
one of the folders ``SYSTEM``. A pure test that starts a process or opens a connection fails, so the marks stay true.
"""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Generator
from typing import Any, NoReturn

import pytest

SYSTEM = {"browser", "infra", "local"}
"""Folders of tests that start processes or open connections of their own."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name in SYSTEM:
            item.add_marker("system")
        if "aws" not in getattr(item, "fixturenames", ()) and not item.get_closest_marker("system"):
            item.add_marker("pure")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    with pytest.MonkeyPatch.context() as patch:
        if item.get_closest_marker("pure"):
            patch.setattr(socket.socket, "connect", _refuse)
            patch.setattr(subprocess.Popen, "__init__", _refuse)
        return (yield)


def _refuse(*_: Any, **__: Any) -> NoReturn:
    pytest.fail("a pure test starts a process or opens a connection: ask for aws, or mark it system")
