"""Secrets of resellers' own REST apps, one secret per reseller and environment in AWS Secrets Manager.

The local stack emulates Secrets Manager, so the way is the same there. A secret is read once per container.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import boto3

from chalicelib.config import settings


@lru_cache(maxsize=1)
def _client() -> Any:
    return boto3.client("secretsmanager")


def _name(reseller_id: str, environment: str) -> str:
    return f"forfait-{settings.stage}/paypal/{reseller_id}/{environment}"


_read: dict[str, str] = {}


def put(reseller_id: str, environment: str, app_key: str, secret: str) -> None:
    """Keep the secret of an app, in the place of an earlier one."""
    name = _name(reseller_id, environment)
    try:
        _client().create_secret(Name=name, SecretString=secret, Description=f"PayPal REST app {app_key}")
    except _client().exceptions.ResourceExistsException:
        _client().put_secret_value(SecretId=name, SecretString=secret)
    _read.pop(f"{name} {app_key}", None)


def get(reseller_id: str, environment: str, app_key: str) -> str:
    """The secret of an app. The key is part of what is remembered: another app has another secret."""
    name = _name(reseller_id, environment)
    if (found := _read.get(f"{name} {app_key}")) is None:
        found = _read[f"{name} {app_key}"] = str(_client().get_secret_value(SecretId=name)["SecretString"])
    return found


def remove(reseller_id: str, environment: str) -> None:
    """Forget it, at once: a secret that waits for its deletion would be in the way of the next one."""
    name = _name(reseller_id, environment)
    _client().delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    for known in [known for known in _read if known.startswith(f"{name} ")]:
        del _read[known]
