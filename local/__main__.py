"""``python -m local``: the commands of the local stack; ``--help`` lists them.

A command is a subparser with a ``run`` default: a function of the parsed arguments that returns an exit status.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from local.settings import read

_DEMO_STATE = Path(".forfait-demo")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m local", description="Forfait's local stack.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="run the stack until Ctrl-C")
    serve.add_argument("--app", default="app", help="module that holds the Chalice application")
    serve.add_argument("--app-folder", type=Path, help="where that module is, if not here")
    serve.add_argument("--tied", action="store_true", help="stop when standard input ends")
    serve.set_defaults(run=_serve)

    demo = commands.add_parser("demo", help="run the guided tour on a stack of its own")
    demo.add_argument("--state", type=Path, help="state folder to go on with (default: .forfait-demo, emptied first)")
    demo.add_argument("--port", type=int, default=0, help="HTTP port (default: any free one)")
    demo.set_defaults(run=_demo)

    schedule = commands.add_parser("schedule", help="run a schedule of the running stack now")
    schedule.add_argument("name")
    schedule.add_argument("--at", help="instant to pretend, as 2026-12-03T05:00:00Z (default: now)")
    schedule.set_defaults(run=_schedule)

    emulator = commands.add_parser("emulator", help="run the emulated AWS alone, in memory (for tests)")
    emulator.set_defaults(run=_emulator)

    worker = commands.add_parser("worker", help="run event functions for a stack (started by it)")
    worker.add_argument("handlers", nargs="*")
    worker.set_defaults(run=_worker)

    parsed = parser.parse_args(arguments)
    return int(parsed.run(parsed) or 0)


# Each command imports what it needs: the worker must not pay for the emulator.


def _serve(arguments: argparse.Namespace) -> None:
    from os import environ

    from local.serve import serve

    serve(read(environ), arguments.app, arguments.app_folder, arguments.tied)


def _demo(arguments: argparse.Namespace) -> int | None:
    from os import environ

    from local.demo import run
    from local.folder import Folder
    from local.settings import SET_BY_STACK, given
    from local.stack import Stack

    if arguments.state is None:
        Folder(_DEMO_STATE).empty()
    try:
        chosen = given(environ, SET_BY_STACK)
        with Stack(arguments.state or _DEMO_STATE, http_port=arguments.port, settings=chosen) as stack:
            return run(stack.url, stack.operator_key, stack)
    except KeyboardInterrupt:
        return 130


def _schedule(arguments: argparse.Namespace) -> None:
    from os import environ

    from local.schedule import command

    command(read(environ).state, arguments.name, arguments.at)


def _emulator(_: argparse.Namespace) -> None:
    from local.emulator import run

    run()


def _worker(arguments: argparse.Namespace) -> None:
    from local.worker import run

    run(arguments.handlers)


if __name__ == "__main__":
    sys.exit(main())
