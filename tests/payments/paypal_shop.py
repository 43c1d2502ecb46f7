"""A reseller that takes PayPal payments, a client that wants to pay 25, and messages as PayPal would send them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.paypal import messages
from local.paypal.server import StandIn

FORM = {"content-type": "application/x-www-form-urlencoded"}
EMAIL = "shop@voix.example"


@dataclass
class Shop:
    """``deposit`` is the open intent, ``good`` the message that pays it."""

    api: Any
    standin: StandIn
    client_id: str
    deposit: dict[str, Any]
    environment: str = "live"
    good: dict[str, str] = field(default_factory=dict)

    @property
    def reseller_id(self) -> str:
        return str(self.api.ids["reseller"])

    @property
    def ipn_path(self) -> str:
        return "/paypal" + str(self.deposit["fields"]["notify_url"]).partition("/paypal")[2]

    def send(self, told: Mapping[str, str] | bytes, *, known: bool = True, **headers: str) -> int:
        """Deliver a message; ``known``: PayPal will say that it is its own. The HTTP status."""
        raw = told if isinstance(told, bytes) else messages.encode(told)
        if known:
            self.standin.books.know(self.environment, raw)
        return int(self.api.with_key("").send("POST", self.ipn_path, raw, headers={**FORM, **headers}).status)

    def now(self) -> str:
        path = f"/v1/clients/{self.client_id}/deposits/{self.deposit['id']}"
        return str(self.api.get(path).json["status"])

    def ledger(self) -> list[str]:
        entries = self.api.get(f"/v1/clients/{self.client_id}/ledger?limit=200").json["items"]
        return [f"{entry['kind']} {entry['amount']}" for entry in reversed(entries)]

    def balance(self) -> str:
        return str(self.api.get(f"/v1/clients/{self.client_id}").json["balance"])

    def service(self) -> str:
        return str(self.api.get(f"/v1/clients/{self.client_id}").json["service"])

    def reviews(self) -> list[str]:
        return [item["reason"] for item in self.api.get("/v1/paypal/reviews?limit=200").json["items"]]

    def last(self, operator: Any) -> dict[str, Any]:
        """The newest message as the operator sees it."""
        items = operator.get(f"/v1/resellers/{self.reseller_id}/paypal/messages?limit=1").json["items"]
        return dict(items[0]) if items else {}

    def reconciled(self) -> list[Any]:
        from chalicelib.rating.nightly.reconcile import reconcile

        return reconcile(self.reseller_id, 1)


def open_shop(api: Any, paypal: StandIn, environment: str = "live", **client: Any) -> Shop:
    settings = {"email": EMAIL, "environment": environment, "amounts": ["1", "10", "25"]}
    assert api.put("/v1/paypal", settings).status == 200
    client_id = api.made("/v1/clients", {"company": "Acme", **client})["id"]
    return asked(Shop(api, paypal, client_id, {}, environment))


def asked(shop: Shop, amount: str = "25") -> Shop:
    """The same shop with a fresh deposit."""
    deposit = shop.api.made(f"/v1/clients/{shop.client_id}/deposits", {"amount": amount})
    good = messages.payment(shop.environment, deposit["fields"], messages.new_id(), "Completed")
    return Shop(shop.api, shop.standin, shop.client_id, deposit, shop.environment, good)
