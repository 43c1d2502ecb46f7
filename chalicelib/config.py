"""The only reader of the environment.

Settings are read once, at import; the error for a missing one names its variable. ``aws.secrets`` reads secrets.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Settings:
    """The settings of a deployment; ``docs/configuration.md`` explains each."""

    stage: str
    table: str
    bucket: str
    bucket_owner: str
    currency: str
    queue: str
    hourly_queue: str
    max_file_bytes: int
    max_unpacked_bytes: int
    max_lines: int
    public_url: str
    paypal_local_url: str
    close_after_days: int
    requests_per_minute: int
    mail_from: str
    secret: str
    operator_key: str = field(repr=False)
    signing_key: str = field(repr=False)

    @property
    def is_local(self) -> bool:
        return self.stage == "local"


def read(environ: dict[str, str]) -> Settings:
    """Settings out of an environment; ``RuntimeError`` names the variable that is missing or unreadable."""

    def text(name: str, default: str | None = None) -> str:
        value = environ.get(name) or default
        if not value:
            raise RuntimeError(f"the environment variable {name} is not set")
        return value

    def whole(name: str, default: int) -> int:
        try:
            return int(text(name, str(default)))
        except ValueError:
            raise RuntimeError(f"the environment variable {name} must be a whole number") from None

    stage = text("FORFAIT_STAGE")
    return Settings(
        stage=stage,
        table=text("FORFAIT_TABLE"),
        bucket=text("FORFAIT_BUCKET"),
        bucket_owner=environ.get("FORFAIT_BUCKET_OWNER", ""),
        currency=text("FORFAIT_CURRENCY", "USD"),
        queue=text("FORFAIT_QUEUE"),
        hourly_queue=text("FORFAIT_HOURLY_QUEUE"),
        max_file_bytes=whole("FORFAIT_MAX_FILE_BYTES", 5 << 30),
        max_unpacked_bytes=whole("FORFAIT_MAX_UNPACKED_BYTES", 16 << 30),
        max_lines=whole("FORFAIT_MAX_LINES", 50_000_000),
        public_url=environ.get("FORFAIT_PUBLIC_URL", "").rstrip("/"),
        # PayPal's word decides who is credited, so only the local stage may replace PayPal by another address.
        paypal_local_url=environ.get("FORFAIT_PAYPAL_LOCAL_URL", "").rstrip("/") if stage == "local" else "",
        close_after_days=whole("FORFAIT_CLOSE_AFTER_DAYS", 2),
        requests_per_minute=whole("FORFAIT_REQUESTS_PER_MINUTE", 12_000),
        mail_from=environ.get("FORFAIT_MAIL_FROM", ""),
        secret=environ.get("FORFAIT_SECRET", ""),
        operator_key=environ.get("FORFAIT_OPERATOR_KEY", ""),
        signing_key=environ.get("FORFAIT_SIGNING_KEY", ""),
    )


settings = read(dict(os.environ))
