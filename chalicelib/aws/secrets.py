"""The deployment's secrets.

They are in AWS Secrets Manager as one JSON secret whose name is ``FORFAIT_SECRET``. On the stage ``local`` two plain
variables take its place.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache

from chalicelib.aws import clients
from chalicelib.config import settings


@dataclass(frozen=True)
class Secrets:
    """``operator_key``: the operator's API key; ``signing_key``: signs cursors and links."""

    operator_key: str
    signing_key: str


@lru_cache(maxsize=1)
def deployment_secrets() -> Secrets:
    """The secrets, fetched once per container; ``RuntimeError`` names a variable that is not set."""
    if settings.is_local:
        return Secrets(
            _set("FORFAIT_OPERATOR_KEY", settings.operator_key), _set("FORFAIT_SIGNING_KEY", settings.signing_key)
        )
    name = _set("FORFAIT_SECRET", settings.secret)
    answer = clients.client("secretsmanager").get_secret_value(SecretId=name)
    return Secrets(**json.loads(answer["SecretString"]))


def _set(variable: str, value: str) -> str:
    if not value:
        raise RuntimeError(f"the environment variable {variable} is not set")
    return value
