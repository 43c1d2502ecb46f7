"""A command of ``python -m local`` as a child process that cannot outlive its parent."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

_ROOT = Path(__file__).resolve().parent.parent
_START_SECONDS, _STOP_SECONDS = 60.0, 30.0

_T = TypeVar("_T")


class Child:
    """``python -m local <arguments>`` with its output in ``log``."""

    def __init__(self, arguments: list[str], environ: Mapping[str, str], log: Path) -> None:
        self._log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "local", *arguments],
                # The child ends when this pipe does, that is, with us, however we end.
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=_ROOT,
                env=dict(environ),
                start_new_session=True,
            )
        self.pid = self._process.pid

    def wait_for(self, look: Callable[[], _T | None]) -> _T:
        """What ``look`` finds, as soon as it finds something; ``RuntimeError`` with the log when the child ends."""
        deadline = time.monotonic() + _START_SECONDS
        while (found := look()) is None:
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"the local stack did not start:\n{self._log.read_text(errors='replace')[-4000:]}")
            time.sleep(0.02)
        return found

    def stop(self) -> int:
        """End it cleanly; its exit status."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_SECONDS)
        return self.kill()

    def kill(self) -> int:
        """End it as a power cut does, if it still runs; its exit status."""
        self._process.kill()
        status = self._process.wait()
        assert self._process.stdin is not None
        self._process.stdin.close()
        return status


def environment() -> dict[str, str]:
    """This process's environment, with this tree importable and output unbuffered."""
    path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
