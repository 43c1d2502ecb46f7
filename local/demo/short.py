"""Numbers without a country: a call to an extension costs nothing, and 411 is priced by a deck line of its own."""

from __future__ import annotations

from local.demo import sample
from local.demo.checks import Checks
from local.demo.http import Json
from local.demo.output import Output, count
from local.demo.shop import Shop


def explain_short_numbers(shop: Shop, output: Output, checks: Checks, batch: Json) -> None:
    """Quotes for an extension whose digits a prefix has too, and for a short number."""
    output.section("Numbers without a country: an extension, and 411")
    output.say(
        f"{count(batch['internal'])} calls went to extension {sample.EXTENSION}. The deck has a prefix "
        f"{sample.SEED_PREFIX} and more that begin with it; still they cost nothing:"
    )
    path = f"/v1/packages/{shop.packages['Everyday']['id']}/quote"
    inside = shop.api.get(path, number=sample.EXTENSION, seconds=600)
    output.steps(inside["steps"])
    checks.same("the rule of an extension", inside["price"]["rule"], "internal")
    checks.same("the price and the cost of an extension", inside["price"]["amount"], inside["cost"]["amount"])
    checks.same("the price of an extension", inside["price"]["amount"], "0.00")
    output.say("")
    output.say(
        f"The deck prices {sample.SHORT_NUMBER} by a line for this number alone, and not as a part of Switzerland:"
    )
    quote = shop.api.get(path, number=sample.SHORT_NUMBER, seconds=60)
    output.steps(quote["steps"])
    checks.same("the cost of a short number", quote["cost"]["rate_per_minute"], sample.SHORT_COST)
    checks.same("the country of a short number", quote["country"], None)
