"""The process that runs event functions, seen from the stack: one worker, many invocations at once.

A worker that dies fails what it was doing, as a Lambda container does, and the next invocation starts another. One
that does not answer in time is killed. The protocol is a line of JSON per request and per answer, over its pipes.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from typing import IO, Any


class FunctionFailed(Exception):
    """An event function raised, or its process ended; ``kind`` is the exception's name."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind, self.message = kind, message


class _Worker:
    """One child process and the invocations that wait for it."""

    def __init__(self, handlers: Mapping[str, str], environ: Mapping[str, str]) -> None:
        self.waiting: dict[int, Future[Any]] = {}
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "local", "worker", *sorted(set(handlers.values()))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=dict(environ),
        )
        threading.Thread(target=self._listen, name="worker-answers", daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None and not self._pipe.closed

    @property
    def _pipe(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin

    def ask(self, number: int, request: dict[str, Any]) -> Future[Any]:
        """Send a request; the future ends with its answer or with ``FunctionFailed``."""
        answer: Future[Any] = Future()
        with self._lock:
            self.waiting[number] = answer
            try:
                self._pipe.write(json.dumps({"number": number, **request}).encode() + b"\n")
                self._pipe.flush()
            except (OSError, ValueError):
                self.waiting.pop(number, None)
                answer.set_exception(FunctionFailed("WorkerEnded", "the worker process is gone"))
        return answer

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            answer = json.loads(line)
            future = self.waiting.pop(answer["number"], None)
            if future is None:
                continue
            if "error" in answer:
                future.set_exception(FunctionFailed(answer["error"]["kind"], answer["error"]["message"]))
            else:
                future.set_result(answer["result"])
        code = self._process.wait()
        with self._lock:
            self._pipe.close()
            for future in self.waiting.values():
                future.set_exception(FunctionFailed("WorkerEnded", f"the worker process ended with status {code}"))
            self.waiting.clear()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


class Pool:
    """Runs functions by name; ``handlers`` maps a function's name to ``module.attribute``."""

    def __init__(self, handlers: Mapping[str, str], environ: Mapping[str, str], timeout_seconds: float) -> None:
        self._handlers, self._environ, self._timeout = dict(handlers), dict(environ), timeout_seconds
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._worker = _Worker(self._handlers, self._environ)
        self._closed = False

    def invoke(self, name: str, event: dict[str, Any]) -> Any:
        """What the function returns; ``FunctionFailed`` when it raises, ends or takes too long; ``KeyError``."""
        handler = self._handlers[name]
        worker = self._living()
        answer = worker.ask(next(self._numbers), {"name": name, "handler": handler, "event": event})
        try:
            return answer.result(self._timeout)
        except TimeoutError:
            worker.kill()
            raise FunctionFailed("TimedOut", f"no answer within {self._timeout:.0f} seconds") from None

    def _living(self) -> _Worker:
        with self._lock:
            if self._closed:
                raise FunctionFailed("Stopping", "the local stack is stopping")
            if not self._worker.alive:
                self._worker = _Worker(self._handlers, self._environ)
            return self._worker

    def close(self, patience_seconds: float = 5.0) -> None:
        """Let running invocations end for a while, then end the process: their events are delivered again."""
        with self._lock:
            self._closed = True
        for future in list(self._worker.waiting.values()):
            try:
                future.exception(patience_seconds)
            except TimeoutError:
                break
        self._worker.kill()
