"""Secrets of resellers' own REST apps: one secret per reseller and environment in AWS Secrets Manager.

The local stack emulates Secrets Manager. Each version of a secret is read once per container.
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
    """Store the secret of an app as a new version and return that version. Earlier versions stay readable."""
    name = _name(reseller_id, environment)
    description = "The secret of a reseller's PayPal REST app"
    try:
        stored = _client().create_secret(Name=name, SecretString=secret, Description=description)
    except _client().exceptions.ResourceExistsException:
        stored = _client().put_secret_value(SecretId=name, SecretString=secret)
    return str(stored["VersionId"])


def get(reseller_id: str, environment: str, version: str) -> str:
    """A version of the secret of an app."""
    name = _name(reseller_id, environment)
    if (secret := _read.get((name, version))) is None:
        stored = _client().get_secret_value(SecretId=name, VersionId=version)
        secret = _read[name, version] = str(stored["SecretString"])
    return secret


def remove(reseller_id: str, environment: str) -> None:
    """Delete the secret at once: one that waits for its deletion would block a new one of the same name."""
    _client().delete_secret(SecretId=_name(reseller_id, environment), ForceDeleteWithoutRecovery=True)
