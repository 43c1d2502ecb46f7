"""The emulated AWS alone, in memory, as a child process: what tests of stores use.

It is a process of its own so that threads of a test, which race on purpose, do not share their interpreter's lock with
what they race for. One per test run and ``reset`` between tests, or names of their own per test, cost milliseconds.
"""

from __future__ import annotations

import json
import os
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

from local import provision
from local.child import Child, environment
from local.settings import aws_environment


class Emulator:
    """A context manager; ``endpoint`` is its address, ``client("dynamodb")`` a boto3 client for it."""

    def __enter__(self) -> Emulator:
        self._folder = tempfile.TemporaryDirectory(prefix="forfait-aws-")
        log = Path(self._folder.name) / "log"
        self._child = Child(["emulator"], environment(), log)

        def look() -> str | None:
            *whole, _ = log.read_text(errors="replace").split("\n")
            found = [json.loads(line)["endpoint"] for line in whole if line.startswith('{"endpoint"')]
            return str(found[0]) if found else None

        self.endpoint = self._child.wait_for(look)
        self.client = provision.client_maker(self.endpoint)
        return self

    def __exit__(self, *_: object) -> None:
        # There is nothing to save.
        self._child.kill()
        self._folder.cleanup()

    def environment(self) -> dict[str, str]:
        """The environment in which any AWS client uses this emulator."""
        return aws_environment(self.endpoint)

    def reset(self) -> None:
        """Forget everything."""
        request = urllib.request.Request(f"{self.endpoint}/_ministack/reset", data=b"", method="POST")
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30).close()

    def provision(self, table: str, bucket: str, queue: str) -> Any:
        """The application's table, bucket, queue and sender of letters, without functions."""
        provision.sender(self.client("sesv2"), "notices@forfait.example")
        provision.table(self.client("dynamodb"), table)
        provision.bucket(self.client("s3"), bucket)
        return provision.queue(self.client("sqs"), queue)


def run() -> None:
    """``python -m local emulator``: serve until standard input ends; prints the endpoint as a line of JSON."""
    from local.aws import Aws, listen

    aws = Aws(listen(0))
    aws.start()
    print(json.dumps({"endpoint": aws.endpoint}), flush=True)
    while os.read(0, 1024):
        pass
