"""``make demo``: a guided tour of a reseller's month, over the public API of a running stack and nothing else.

- ``http``    the API with a key
- ``sample``  the deck and the calls, made from a seed
- ``paper``   headings, columns, progress
- ``checks``  every figure is compared with another way to it
- ``shop``    a reseller, its packages, clients and number; the deck
- ``month``   a month of calls, rated; the newest, and one explained
- ``books``   balances and margin
- ``deposit`` a PayPal payment through the stand-in
"""

from __future__ import annotations

import os
import sys
from typing import TextIO

from local.demo import books, deposit, month, shop
from local.demo.checks import Checks
from local.demo.http import Api, Problem
from local.demo.paper import Paper, count
from local.demo.shop import Shop
from local.settings import wants_colour
from local.stack import Stack


def run(url: str, operator_key: str, stack: Stack) -> int | None:
    """The tour on a running stack; 1 when a figure is wrong or a request fails. On a terminal it ends at Enter."""
    paper = Paper(sys.stdout, colour=wants_colour(os.environ))
    checks = Checks()
    try:
        made = _tour(Api(url, operator_key), paper, checks, stack)
    except Problem as problem:
        paper.end_progress()
        print(f"\nThe tour broke off: {problem}\nThe stack's log: {stack.folder.log}", file=sys.stderr)
        return 1
    paper.say("")
    if checks.wrong:
        print(*checks.report(), sep="\n", file=sys.stderr)
        return 1
    paper.say(f"{count(checks.made)} figures were compared with another way to them: all agree.")
    _where_to_look(paper, stack, made, stays=_is_watched(sys.stdin, sys.stdout))
    return 0


def _tour(operator: Api, paper: Paper, checks: Checks, stack: Stack) -> Shop:
    span = month.this_month()
    paper.title(f"Forfait: the first month of a reseller ({span.first:%B %Y})")
    made = shop.open_shop(operator, paper)
    deck = shop.publish_deck(operator, paper, span.first_day)
    shop.sell_packages(made, paper)
    shop.explain_seed(made, paper, checks)
    shop.welcome_clients(made, paper)
    shop.assign_number(operator, made, paper)
    calls = month.make_calls(made, deck, span)
    batch = month.rate_calls(made, paper, checks, calls)
    month.send_again(made, paper, checks, calls)
    charged = books.show_balances(made, paper, checks, batch, span)
    books.show_margin(made, paper, checks, batch, span, charged)
    month.newest_calls(made, paper, span)
    month.explain_call(made, paper, checks, span)
    deposit.take_deposit(operator, made, paper, checks, stack.paypal_url)
    return made


def _is_watched(*streams: TextIO) -> bool:
    return all(stream.isatty() for stream in streams)


def _where_to_look(paper: Paper, stack: Stack, made: Shop, *, stays: bool) -> None:
    """Addresses, keys and next commands; the stack stays up as long as somebody sits at the terminal."""
    state = os.path.relpath(stack.folder.path)
    serve = f"FORFAIT_STATE={state} make serve"
    url = stack.url if stays else "http://127.0.0.1:8000"
    paper.section("Where to look")
    paper.say(f"This stack {'runs until you press Enter' if stays else 'stops now'}. Its state is kept; to go on:")
    paper.verbatim(f"  {serve}")
    paper.say("")
    paper.table(
        ["what", "where"],
        [
            ["every route", f"{url}/docs"],
            ["the same for programs", f"{url}/v1/openapi.json"],
            ["PayPal's stand-in", stack.paypal_url if stays else "the address that make serve prints"],
            ["reseller's key", made.api.key],
            ["operator's key", stack.operator_key],
        ],
    )
    paper.say("")
    paper.say("Try:")
    paper.verbatim(f"  KEY={made.api.key}")
    for path in ("clients", "reports/calls?limit=3", "batches"):
        paper.verbatim(f'  curl -H "Authorization: Bearer $KEY" "{url}/v1/{path}"')
    paper.say("")
    paper.say("Next: make serve (a stack of your own, empty), make test (every test), docs/local-stack.md.")
    if stays:
        input("\nPress Enter to stop. ")
