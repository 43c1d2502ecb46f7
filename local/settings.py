"""Settings of the local stack, and the environment it gives to the application.

This is the only reader of the environment in ``local``; ``docs/configuration.md`` explains every variable.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

REGION = "us-east-1"
ACCOUNT = "000000000000"
HOST = "127.0.0.1"
"""Everything listens here and nowhere else: the stack has one operator, the person at the keyboard."""

_MAIL_FROM = "FORFAIT_MAIL_FROM"
PAYPAL_URL = "FORFAIT_PAYPAL_LOCAL_URL"
_FOREIGN = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
)


@dataclass(frozen=True)
class LocalSettings:
    """A port of 0 means any free one; ``retry_seconds`` is the pause before a failed event is
    delivered again; ``fsync``: a write is on the disk, and not only in the system's memory, before it is answered."""

    http_port: int
    aws_port: int
    paypal_port: int
    state: Path
    retry_seconds: int
    fsync: bool


def read(environ: Mapping[str, str]) -> LocalSettings:
    """Settings out of an environment; ``SystemExit`` says which variable cannot be read."""

    def whole(name: str, default: int, most: int) -> int:
        text = environ.get(name) or str(default)
        if not text.isascii() or not text.isdigit() or int(text) > most:
            raise SystemExit(f"{name} must be a whole number from 0 to {most}, not {text!r}")
        return int(text)

    return LocalSettings(
        http_port=whole("FORFAIT_PORT", 8000, 65_535),
        aws_port=whole("FORFAIT_AWS_PORT", 0, 65_535),
        paypal_port=whole("FORFAIT_PAYPAL_PORT", 0, 65_535),
        state=Path(environ.get("FORFAIT_STATE") or ".forfait").expanduser().resolve(),
        retry_seconds=whole("FORFAIT_RETRY_SECONDS", 5, 900),
        fsync=whole("FORFAIT_FSYNC", 0, 1) == 1,
    )


def wants_colour(environ: Mapping[str, str]) -> bool:
    """Whether the person at the terminal lets programs use colour (https://no-color.org)."""
    return not environ.get("NO_COLOR")


def aws_environment(endpoint: str, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """``environ`` with every AWS client pointed at ``endpoint``.

    The caller's own AWS profile, endpoints and proxies are taken out: no request of the local stack may ever reach a
    real account.
    """
    kept = {
        name: value
        for name, value in environ.items()
        if name not in _FOREIGN and not name.startswith("AWS_ENDPOINT_URL")
    }
    no_proxy = ",".join(filter(None, (environ.get("NO_PROXY") or environ.get("no_proxy"), HOST, "localhost")))
    return kept | {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
    }


def app_environment(operator_key: str, signing_key: str) -> dict[str, str]:
    """What ``chalicelib.config`` needs on the stage ``local``; the names are also those of the provisioned things."""
    return {
        "FORFAIT_STAGE": "local",
        "FORFAIT_TABLE": "forfait-local",
        "FORFAIT_BUCKET": "forfait-local",
        "FORFAIT_QUEUE": "forfait-local-incoming",
        _MAIL_FROM: "notices@forfait.example",
        "FORFAIT_HOURLY_QUEUE": "forfait-local-hourly",
        "FORFAIT_OPERATOR_KEY": operator_key,
        "FORFAIT_SIGNING_KEY": signing_key,
    }


SET_BY_STACK = (*app_environment("", ""), PAYPAL_URL)
"""The variables that the local stack sets when a person has not."""


def given(environ: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """Those of ``names`` that ``environ`` sets: they win over what the local stack would set.

    An empty variable is not set. The exception is ``FORFAIT_MAIL_FROM``: empty, it means that no e-mails are sent.
    ``SystemExit`` for another stage than ``local``: the local stack is one, and other stages trust no stand-in.
    """
    found = {name: environ[name] for name in names if environ.get(name) or (name == _MAIL_FROM and name in environ)}
    if found.get("FORFAIT_STAGE", "local") != "local":
        raise SystemExit(f"FORFAIT_STAGE must be local on the local stack, not {found['FORFAIT_STAGE']!r}; unset it")
    return found
