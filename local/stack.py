"""A whole local stack as a child process, for tests, benchmarks and the demo.

::

    with Stack(folder) as stack:
        requests.get(stack.url + "/v1/openapi.json")
        stack.client("s3").put_object(...)
        stack.run_schedule("hourly", datetime(2026, 12, 3, 5, tzinfo=UTC))
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from local import provision, schedule
from local.child import Child, environment
from local.folder import Folder, Running
from local.settings import PAYPAL_URL, SET_BY_STACK, app_environment, aws_environment, given


class Stack:
    """A stack on ``state_dir`` (made if need be); ports 0 mean any free one.

    ``app`` is the module of the Chalice application, found in ``app_folder`` or the product's root; ``settings`` are
    further FORFAIT_ variables. Variables of this process that a stack sets itself do not reach it.
    """

    def __init__(
        self,
        state_dir: Path,
        http_port: int = 0,
        *,
        app: str = "app",
        app_folder: Path | None = None,
        settings: dict[str, str] | None = None,
    ) -> None:
        self.folder = Folder(state_dir.resolve())
        self._arguments = ["serve", "--tied", "--app", app]
        if app_folder:
            self._arguments += ["--app-folder", str(app_folder.resolve())]
        self._settings = {
            "FORFAIT_STATE": str(self.folder.path),
            "FORFAIT_PORT": str(http_port),
            "FORFAIT_AWS_PORT": "0",
            "FORFAIT_PAYPAL_PORT": "0",
            **(settings or {}),
        }
        self._child: Child | None = None
        self._running: Running | None = None

    def __enter__(self) -> Stack:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start, also again after ``stop`` or ``kill``; returns when it answers."""
        inherited = {name: value for name, value in environment().items() if name not in SET_BY_STACK}
        child = self._child = Child(self._arguments, inherited | self._settings, self.folder.log)

        def look() -> Running | None:
            running = self.folder.running()
            return running if running and running.pid == child.pid else None

        self._running = child.wait_for(look)
        self.client = provision.client_maker(self.aws_endpoint)

    def stop(self) -> int:
        """Stop cleanly; the exit status."""
        return self._child.stop() if self._child else 0

    def kill(self) -> None:
        """End it as ``kill -9`` does."""
        if self._child:
            self._child.kill()

    @property
    def running(self) -> Running:
        """Where it listens; ``RuntimeError`` before it was started."""
        if self._running is None:
            raise RuntimeError("the stack was not started")
        return self._running

    @property
    def url(self) -> str:
        """Base of the API, without a slash at the end."""
        return self.running.url

    @property
    def operator_key(self) -> str:
        """The operator's API key."""
        return self.running.operator_key

    @property
    def aws_endpoint(self) -> str:
        """Where the emulated AWS answers; ``client("s3")`` is a boto3 client for it."""
        return self.running.aws_endpoint

    @property
    def paypal_url(self) -> str:
        """Where the stand-in for PayPal answers."""
        return self.running.paypal_url

    def environment(self) -> dict[str, str]:
        """The environment in which ``chalicelib`` works on this stack from another process."""
        names = app_environment(self.operator_key, self.running.signing_key) | {PAYPAL_URL: self.paypal_url}
        return aws_environment(self.aws_endpoint, environment()) | names | given(self._settings, SET_BY_STACK)

    def run_schedule(self, name: str, at: datetime) -> Any:
        """Run a schedule now as if it were ``at`` (aware UTC); what it returns, or ``schedule.ScheduleFailed``."""
        return schedule.run(self.running, name, at)
