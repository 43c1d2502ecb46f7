"""Secrets of resellers' own REST apps, one secret per reseller and environment in AWS Secrets Manager.

The local stack emulates Secrets Manager, so the way is the same there. A secret is read once per container.
"""

from __future__ import annotations

from typing import Any

from chalicelib.aws import clients
from chalicelib.config import settings


def _client() -> Any:
    return clients.client("secretsmanager")


def _name(reseller_id: str, environment: str) -> str:
    return f"forfait-{settings.stage}/paypal/{reseller_id}/{environment}"


_read: dict[tuple[str, str], str] = {}


def put(reseller_id: str, environment: str, secret: str) -> str:
    """Keep the secret of an app beside an earlier one; its version. Until somebody notes that version, whoever reads
    the earlier one still finds it."""
    name = _name(reseller_id, environment)
    told = "The secret of a reseller's PayPal REST app"
    try:
        kept = _client().create_secret(Name=name, SecretString=secret, Description=told)
    except _client().exceptions.ResourceExistsException:
        kept = _client().put_secret_value(SecretId=name, SecretString=secret)
    return str(kept["VersionId"])


def get(reseller_id: str, environment: str, version: str) -> str:
    """The secret of an app, in the version that belongs to it."""
    name = _name(reseller_id, environment)
    if (found := _read.get((name, version))) is None:
        kept = _client().get_secret_value(SecretId=name, VersionId=version)
        found = _read[name, version] = str(kept["SecretString"])
    return found


def remove(reseller_id: str, environment: str) -> None:
    """Forget it, at once: a secret that waits for its deletion would be in the way of the next one."""
    _client().delete_secret(SecretId=_name(reseller_id, environment), ForceDeleteWithoutRecovery=True)
