"""A reseller's PayPal settings, with notes on what to do about them."""

from __future__ import annotations

import secrets
from typing import Any

from chalicelib.aws.transactions import Put, Scope, Write, commit, event, settled
from chalicelib.payments import gateway, store
from chalicelib.payments.shapes import AppOut, HealthOut, PaypalIn, PaypalOut
from chalicelib.payments.store import IpnEndpoint, Review, Settings

MOST_COUNTED = 1000
"""Review items are counted up to this number: what one query of the table returns."""
NOTES = (
    'Test with a live deposit before you tell your clients, and refund it at PayPal; for a small one put "1" into '
    "amounts for that time.",
    "At PayPal, switch IPN on (Account settings, Notifications) and enter notify_url, and set the language encoding to "
    "UTF-8.",
    "PayPal calls the classic button deprecated and may switch it off at any time after 2027-01-01. A REST app "
    "(PUT /v1/paypal/app) is the way that it recommends.",
)


def get(reseller_id: str, base_url: str) -> PaypalOut:
    """The settings; every field is empty before the first ``put``."""
    return to_out(reseller_id, store.settings_of(reseller_id), base_url)


@settled
def put(scope: Scope, reseller_id: str, body: PaypalIn, base_url: str) -> PaypalOut:
    """Set PayPal up, or change it. A change of account or environment forgets the account of the first payment."""
    before = store.settings_of(reseller_id)
    after, writes = _after(reseller_id, before, body)
    recorded = event(scope, reseller_id, "paypal.changed", reseller_id, _audit_fields(after), _audit_fields(before))
    out = to_out(reseller_id, after, base_url)
    commit(scope, [*writes, recorded], out)
    return out


def _audit_fields(settings: Settings | None) -> dict[str, Any]:
    """The fields that the audit trail records: above all the account that is paid; no token and no secret."""
    names = ("email", "merchant_id", "environment", "amounts")
    return {name: getattr(settings, name) for name in names} if settings else {}


def notify_url(base_url: str, token: str) -> str:
    return f"{base_url}/paypal/ipn/{token}"


def changed(before: Settings) -> Put:
    """The write of settings that were changed in place, if the stored ones are still as they were read."""
    version = before.version
    before.version = version + 1
    return Put(before, Settings.version == version)


def _after(reseller_id: str, before: Settings | None, body: PaypalIn) -> tuple[Settings, list[Write]]:
    """The settings after a request, and the writes that store them."""
    account = (body.email.casefold(), body.merchant_id or "", body.environment)
    same = before is not None and account == (before.email, before.merchant_id, before.environment)
    tokens, writes = dict(before.tokens) if before else {}, list[Write]()
    if body.environment not in tokens:
        tokens[body.environment] = secrets.token_urlsafe(24)
        key = IpnEndpoint.key(tokens[body.environment])
        writes.append(Put(IpnEndpoint(*key, reseller_id=reseller_id, environment=body.environment)))
    after = Settings(
        *Settings.key(reseller_id),
        email=account[0],
        merchant_id=account[1],
        environment=body.environment,
        amounts=list(body.amounts),
        tokens=tokens,
        receiver_id=before.receiver_id if before and same else "",
        apps=dict(before.apps) if before else {},
        version=before.version if before else 0,
    )
    return after, [changed(after) if before else Put(after), *writes]


def to_out(reseller_id: str, settings: Settings | None, base_url: str) -> PaypalOut:
    """The settings of the current environment as the API answers them."""
    health = store.health(reseller_id)
    fields: dict[str, Any] = {
        "health": HealthOut.model_validate(health),
        "open_reviews": len(Review.under(*Review.of_reseller(reseller_id), limit=MOST_COUNTED)),
        "notes": [*_warnings(), *NOTES],
    }
    empty = ("email", "merchant_id", "notify_url", "receiver_id", "app")
    if settings is None:
        return PaypalOut.model_validate({**dict.fromkeys(empty), "environment": "live", "amounts": [], **fields})
    app = settings.apps.get(settings.environment)
    fields |= {
        "email": settings.email,
        "merchant_id": settings.merchant_id or None,
        "environment": settings.environment,
        "amounts": settings.amounts,
        "notify_url": notify_url(base_url, settings.tokens[settings.environment]),
        "receiver_id": settings.receiver_id or None,
        "app": AppOut(app_key=app["app_key"], webhook_id=app["webhook_id"]) if app else None,
    }
    return PaypalOut.model_validate(fields)


def _warnings() -> list[str]:
    if gateway.unknown_currency():
        return [f"PayPal does not handle {gateway.currency()}, the currency of this deployment."]
    return []
