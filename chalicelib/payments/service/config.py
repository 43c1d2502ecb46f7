"""A reseller's PayPal settings, and what it should know about them."""

from __future__ import annotations

import secrets
from typing import Any

from chalicelib.aws.transactions import Put, Scope, Write, commit, event, settled
from chalicelib.payments import gateway, store
from chalicelib.payments.shapes import AppOut, HealthOut, PaypalIn, PaypalOut
from chalicelib.payments.store import Door, Review, Settings

MOST_COUNTED = 1000
"""Reviews are counted up to here: one page of the table, and more than anybody looks at."""
NOTES = (
    "Test with a live deposit of 1 before you tell your clients, and refund it at PayPal.",
    "At PayPal, switch IPN on (Account settings, Notifications) and enter notify_url, and set the language encoding to "
    "UTF-8.",
    "PayPal calls the classic button deprecated and may switch it off at any time after 2027-01-01. A REST app "
    "(PUT /v1/paypal/app) is the way that it recommends.",
)


def get(reseller_id: str, base_url: str) -> PaypalOut:
    """The settings as they are answered; all empty before there are any."""
    return shown(reseller_id, store.settings_of(reseller_id), base_url)


@settled
def put(scope: Scope, reseller_id: str, body: PaypalIn, base_url: str) -> PaypalOut:
    """Set PayPal up, or change it. Another account or environment forgets the account that was pinned."""
    before = store.settings_of(reseller_id)
    after, writes = _after(reseller_id, before, body)
    recorded = event(scope, reseller_id, "paypal.changed", reseller_id, _told(after), _told(before))
    out = shown(reseller_id, after, base_url)
    commit(scope, [*writes, recorded], out)
    return out


def _told(settings: Settings | None) -> dict[str, Any]:
    """What the audit trail says of settings: above all whose account is paid; no token, no secret of an app."""
    names = ("email", "merchant_id", "environment", "amounts")
    return {name: getattr(settings, name) for name in names} if settings else {}


def notify_url(base_url: str, token: str) -> str:
    return f"{base_url}/paypal/ipn/{token}"


def changed(before: Settings) -> Put:
    """The write of settings that were read and changed in place."""
    version = before.version
    before.version = version + 1
    return Put(before, Settings.version == version)


def _after(reseller_id: str, before: Settings | None, body: PaypalIn) -> tuple[Settings, list[Write]]:
    account = (body.email.casefold(), body.merchant_id or "", body.environment)
    kept = before is not None and account == (before.email, before.merchant_id, before.environment)
    tokens, writes = dict(before.tokens) if before else {}, list[Write]()
    if body.environment not in tokens:
        tokens[body.environment] = secrets.token_urlsafe(24)
        door = Door(f"DOOR#{tokens[body.environment]}", "DOOR")
        door.reseller_id, door.environment = reseller_id, body.environment
        writes.append(Put(door))
    after = Settings(
        store.partition(reseller_id),
        "SETTINGS",
        email=account[0],
        merchant_id=account[1],
        environment=body.environment,
        amounts=list(body.amounts),
        tokens=tokens,
        receiver_id=before.receiver_id if before and kept else "",
        apps=dict(before.apps) if before else {},
        version=before.version if before else 0,
    )
    return after, [changed(after) if before else Put(after), *writes]


def shown(reseller_id: str, settings: Settings | None, base_url: str) -> PaypalOut:
    """The settings as they are answered, the present environment's."""
    health = store.health(reseller_id)
    told: dict[str, Any] = {
        "health": HealthOut.model_validate({name: _instant(getattr(health, name)) for name in HealthOut.model_fields}),
        "open_reviews": len(Review.under(store.partition(reseller_id), "REVIEW#", limit=MOST_COUNTED)),
        "notes": [*_warnings(), *NOTES],
    }
    names = ("email", "merchant_id", "notify_url", "receiver_id", "app")
    if settings is None:
        return PaypalOut.model_validate({**dict.fromkeys(names), "environment": "live", "amounts": [], **told})
    app = settings.apps.get(settings.environment)
    told |= {
        "email": settings.email,
        "merchant_id": settings.merchant_id or None,
        "environment": settings.environment,
        "amounts": settings.amounts,
        "notify_url": notify_url(base_url, settings.tokens[settings.environment]),
        "receiver_id": settings.receiver_id or None,
        "app": AppOut(app_key=app["app_key"], webhook_id=app["webhook_id"]) if app else None,
    }
    return PaypalOut.model_validate(told)


def _warnings() -> list[str]:
    if gateway.unknown_currency():
        return [f"PayPal does not handle {gateway.currency()}, the currency of this deployment."]
    return []


def _instant(value: Any) -> int | None:
    return None if value is None else int(value)
