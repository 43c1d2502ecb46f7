"""``make demo``: a guided tour of a reseller's month, over the public API of a running stack and nothing else.

- ``http``      the API with a key
- ``sample``    the deck and the calls, made from a seed
- ``output``    headings, columns, progress
- ``checks``    every figure is compared with another way to it
- ``shop``      a reseller, its packages, clients and number; the deck
- ``month``     a month of calls, rated; the newest, and one explained
- ``short``     calls to an extension and to a short number
- ``balances``  balances and margin
- ``systems``   files as six systems write them, and the calls that they mean
- ``intake``    one file of each: previewed, declared as the preview suggests, rated
- ``late``      a line that contradicts a rated call; the month is closed
- ``deposit``   a PayPal payment through the stand-in
"""

from __future__ import annotations

import os
import sys
from typing import TextIO

from local.demo import balances, deposit, intake, late, month, shop, short
from local.demo.checks import Checks
from local.demo.http import Api, Problem
from local.demo.output import Output, count
from local.demo.shop import Shop
from local.settings import wants_colour
from local.stack import Stack


def run(url: str, operator_key: str, stack: Stack) -> int | None:
    """The tour on a running stack; returns 1 when a figure is wrong or a request fails. A terminal ends it by Enter."""
    output = Output(sys.stdout, colour=wants_colour(os.environ))
    checks = Checks()
    try:
        made = _tour(Api(url, operator_key), output, checks, stack)
    except Problem as problem:
        output.end_progress()
        print(f"\nThe tour broke off: {problem}\nThe stack's log: {stack.folder.log}", file=sys.stderr)
        return 1
    output.say("")
    if checks.wrong:
        print(*checks.report(), sep="\n", file=sys.stderr)
        return 1
    output.say(f"{count(checks.made)} figures were compared with another way to them: all agree.")
    _where_to_look(output, stack, made, stays=_is_watched(sys.stdin, sys.stdout))
    return 0


def _tour(operator: Api, output: Output, checks: Checks, stack: Stack) -> Shop:
    span = month.this_month()
    output.title(f"Forfait: the first month of a reseller ({span.first:%B %Y})")
    made = shop.open_shop(operator, output)
    deck = shop.publish_deck(operator, output, span.first_day)
    shop.sell_packages(made, output)
    shop.explain_seed(made, output, checks)
    shop.welcome_clients(made, output)
    shop.assign_number(operator, made, output)
    calls = month.make_calls(made, deck, span)
    batch = month.rate_calls(made, output, checks, calls)
    month.send_again(made, output, checks, calls)
    charged = balances.show_balances(made, output, checks, batch, span)
    balances.show_margin(made, output, checks, batch, span, charged)
    month.newest_calls(made, output, span)
    month.explain_call(made, output, checks, span)
    short.explain_short_numbers(made, output, checks, batch)
    intake.take_files(operator, made, output, checks, span)
    late.contradict(made, output, checks, span)
    deposit.take_deposit(operator, made, output, checks, stack.paypal_url)
    late.close_month(made, output, checks, stack, span)
    return made


def _is_watched(*streams: TextIO) -> bool:
    return all(stream.isatty() for stream in streams)


def _where_to_look(output: Output, stack: Stack, made: Shop, *, stays: bool) -> None:
    """Addresses, keys and next commands; with ``stays`` the stack runs until Enter is pressed."""
    state = os.path.relpath(stack.folder.path)
    serve = f"FORFAIT_STATE={state} make serve"
    url = stack.url if stays else "http://127.0.0.1:8000"
    output.section("Where to look")
    output.say(f"This stack {'runs until you press Enter' if stays else 'stops now'}. Its state is kept; to go on:")
    output.verbatim(f"  {serve}")
    output.say("")
    output.table(
        ["what", "where"],
        [
            ["every route", f"{url}/docs"],
            ["the same for programs", f"{url}/v1/openapi.json"],
            ["PayPal's stand-in", stack.paypal_url if stays else "the address that make serve prints"],
            ["reseller's key", made.api.key],
            ["operator's key", stack.operator_key],
        ],
    )
    output.say("")
    output.say("Try:")
    output.verbatim(f"  KEY={made.api.key}")
    for path in ("clients", "reports/calls?limit=3", "batches"):
        output.verbatim(f'  curl -H "Authorization: Bearer $KEY" "{url}/v1/{path}"')
    output.say("")
    output.say("Next: make serve (a stack of your own, empty), make test (every test), docs/local-stack.md.")
    if stays:
        input("\nPress Enter to stop. ")
