"""Orders of a shop with a REST app, and events about them as PayPal signs them."""

from __future__ import annotations

from typing import Any

from paypal_shop import Shop

from chalicelib.payments import webhooks


def order_of(shop: Shop) -> Any:
    """Press the button of the pay page; the order that the browser is sent to."""
    reply = shop.api.with_key("").post(f"/pay/{shop.deposit['invoice']}/checkout")
    assert reply.status == 415, "a form, and nothing else"
    headers = {"content-type": "application/x-www-form-urlencoded"}
    reply = shop.api.with_key("").send("POST", f"/pay/{shop.deposit['invoice']}/checkout", b"", headers=headers)
    assert reply.status == 303, reply.text
    url = reply.headers["Location"]
    assert url.startswith(f"{shop.standin.url}/live/checkoutnow?token=")
    return shop.standin.rest.orders[url.rpartition("=")[2]]


def event(shop: Shop, told: dict[str, Any], **headers: str) -> int:
    """Deliver an event as PayPal signs it; the HTTP status."""
    raw, signed = shop.standin.rest.sign(told)
    return deliver(shop, raw, signed | headers)


def deliver(shop: Shop, raw: bytes, signed: dict[str, str]) -> int:
    hook = shop.standin.rest.webhooks[app_of(shop)]["url"]
    path = "/paypal" + hook.partition("/paypal")[2]
    lower = {name.lower(): value for name, value in signed.items()}
    return int(shop.api.with_key("").send("POST", path, raw, headers=lower).status)


def app_of(shop: Shop) -> str:
    return str(shop.api.get("/v1/paypal").json["app"]["app_key"])


def approve(shop: Shop) -> tuple[Any, dict[str, Any]]:
    """The payer approves; the order and the event of it (which the tests deliver by themselves)."""
    order = order_of(shop)
    order.status = "APPROVED"
    shown = {"id": order.order_id, "purchase_units": [order.unit], "status": "APPROVED"}
    return order, {"event_type": webhooks.APPROVED, "resource_type": "checkout-order", "resource": shown}


def captured(order: Any, kind: str = "COMPLETED") -> dict[str, Any]:
    return {"event_type": f"PAYMENT.CAPTURE.{kind}", "resource_type": "capture", "resource": order.capture}
