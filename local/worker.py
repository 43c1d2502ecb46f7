"""The process that runs event functions: reads requests from standard input, answers on standard output.

A function is imported from its own module, as Lambda imports it: ``app.py`` is not involved, so what works here does
not depend on it. The process ends when its standard input does, that is, with the stack that started it.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from chalice.local import LambdaContext

_MEMORY_MB, _THREADS = 2048, 8


def run(handlers: Iterable[str]) -> None:
    """Serve until standard input ends; ``handlers`` are imported first, so that the first event finds them warm."""
    # Ctrl-C goes to every process of a terminal. The stack decides when this one ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    # What a function prints must not get between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    writing = threading.Lock()

    def work(request: dict[str, Any]) -> None:
        line = _line(request["number"], lambda: _call(request))
        with writing:
            answers.write(line)
            answers.flush()

    for handler in handlers:
        _load(handler)
    with ThreadPoolExecutor(_THREADS, "function") as pool:
        for line in sys.stdin.buffer:
            pool.submit(work, json.loads(line))
        os._exit(0)


def _load(handler: str) -> Callable[[Any, Any], Any]:
    module, _, attribute = handler.rpartition(".")
    loaded: Callable[[Any, Any], Any] = getattr(importlib.import_module(module), attribute)
    return loaded


def _call(request: dict[str, Any]) -> Any:
    from local.provision import FUNCTION_SECONDS

    context = LambdaContext(request["name"], _MEMORY_MB, max_runtime_ms=FUNCTION_SECONDS * 1000)
    return _load(request["handler"])(request["event"], context)


def _line(number: int, call: Callable[[], Any]) -> bytes:
    """The answer to one request; any exception is an answer too, and its traceback goes to the log."""
    try:
        return json.dumps({"number": number, "result": call()}).encode() + b"\n"
    except BaseException as error:
        traceback.print_exc()
        failure = {"kind": type(error).__name__, "message": str(error)}
        return json.dumps({"number": number, "error": failure}).encode() + b"\n"
