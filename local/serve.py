"""``python -m local serve``: the stack as one process and its worker, until a signal stops it."""

from __future__ import annotations

import functools
import importlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chalice.app import Chalice

from local import provision, snapshot
from local.aws import Aws, listen
from local.events import functions_of
from local.folder import Folder, Running
from local.gateway import Gateway
from local.invoke import InvokeServer
from local.paypal.server import StandIn
from local.pool import Pool
from local.server import HttpServer
from local.settings import PAYPAL_URL, SET_BY_STACK, LocalSettings, app_environment, aws_environment, given
from local.snapshot import Saver


def serve(settings: LocalSettings, app_name: str = "app", app_folder: Path | None = None, tied: bool = False) -> None:
    """Run until SIGINT or SIGTERM, or, when ``tied``, until standard input ends; ``SystemExit`` says what is wrong."""
    began = time.monotonic()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    stop = _stop_event(tied)
    folder = Folder(settings.state)
    folder.lock()
    folder.withdraw()
    operator_key, signing_key = folder.keys(os.environ)
    # The port that a person chose comes first: when it is taken, nothing else has been touched.
    chosen = given(os.environ, SET_BY_STACK)
    http_socket = listen(settings.http_port, "FORFAIT_PORT")
    paypal = None if PAYPAL_URL in chosen else StandIn(listen(settings.paypal_port, "FORFAIT_PAYPAL_PORT"))
    aws, saver = _start_aws(settings, folder, stop.is_set)
    os.environ.update(app_environment(operator_key, signing_key) | chosen)
    if paypal:
        os.environ[PAYPAL_URL] = paypal.url
    app = _load_app(app_name, app_folder)
    functions = functions_of(app)
    pool = Pool({each.name: each.handler for each in functions}, os.environ, provision.FUNCTION_SECONDS)
    sqs = provision.client_maker(aws.endpoint)("sqs")
    again = functools.partial(_deliver_again, sqs, settings.retry_seconds, stop.is_set)
    invoke = InvokeServer(pool, saver.touch, again)
    invoke.start()
    provision.stack(aws.endpoint, dict(os.environ), functions, invoke.url)
    # What was provisioned has no records.
    saver.save()
    aws.settled = saver.settled
    http = HttpServer(http_socket, Gateway(app))
    http.start()
    if paypal:
        paypal.start()
    schedules = [each.name for each in functions if each.schedule]
    paypal_url = os.environ[PAYPAL_URL]
    running = Running(os.getpid(), http.url, aws.endpoint, invoke.url, operator_key, signing_key, paypal_url, schedules)
    folder.announce(running)
    _say(f"ready in {time.monotonic() - began:.1f} s", running, settings.state, stand_in=paypal is not None)

    stop.wait()
    folder.withdraw()
    if paypal:
        paypal.stop()
    http.stop()
    pool.close()
    invoke.stop()
    saver.end()
    aws.stop()
    print("stopped; the state is saved", flush=True)


def _stop_event(tied: bool) -> threading.Event:
    """Set by SIGINT or SIGTERM; when ``tied``, also at the end of standard input."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    if tied:

        def watch() -> None:
            # Not sys.stdin: its lock, held by this thread, would stop the interpreter from ending.
            while os.read(0, 1024):
                pass
            stop.set()

        threading.Thread(target=watch, name="tied", daemon=True).start()
    return stop


def _start_aws(settings: LocalSettings, folder: Folder, stopping: Callable[[], bool]) -> tuple[Aws, Saver]:
    """The emulated AWS as it was saved, and the thread that saves it; every client of this process now uses it."""
    # Presigned URLs hold the port, so the last one is taken again when it is free.
    port = settings.aws_port or snapshot.saved_port(folder.aws_state)
    aws = Aws(listen(port, "FORFAIT_AWS_PORT", fallback=not settings.aws_port), folder.objects)
    environment = aws_environment(aws.endpoint)
    os.environ.clear()
    os.environ.update(environment)
    recorder = snapshot.restore(folder, aws.port, settings.fsync, stopping)
    saver = Saver(folder.aws_state, recorder, lambda: aws.on_loop(lambda: snapshot.take(recorder, aws.port)))
    aws.changed = saver.touch
    aws.start()
    saver.start()
    return aws, saver


def _load_app(name: str, folder: Path | None) -> Chalice:
    """``app`` out of the module ``name``; the worker finds modules of ``folder`` too."""
    if folder:
        sys.path.insert(0, str(folder))
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
    app = importlib.import_module(name).app
    assert isinstance(app, Chalice), f"{name}.app is not a Chalice application"
    return app


def _deliver_again(sqs: Any, seconds: int, stopping: Callable[[], bool], event: dict[str, Any]) -> None:
    """Show the messages of a failed event again soon, and not only when their long visibility timeout is over.

    Not while the stack stops: what fails then was broken off, and the next stack shows its messages at once.
    """
    if stopping():
        return
    for record in event.get("Records", []):
        if record.get("eventSource") == "aws:sqs":
            url = sqs.get_queue_url(QueueName=record["eventSourceARN"].rpartition(":")[2])["QueueUrl"]
            sqs.change_message_visibility(
                QueueUrl=url, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=seconds
            )


def _say(ready: str, running: Running, state: Path, stand_in: bool) -> None:
    lines = {
        "API": running.url,
        "its page": f"{running.url}/docs",
        "AWS endpoint": running.aws_endpoint,
        "PayPal": running.paypal_url + (" (a stand-in)" if stand_in else f" ({PAYPAL_URL})"),
        "operator key": running.operator_key,
        "state": str(state),
    }
    print(f"Forfait's local stack is {ready}", *(f"  {name:<13} {text}" for name, text in lines.items()), sep="\n")
    print("Ctrl-C stops it; the state stays.", flush=True)
