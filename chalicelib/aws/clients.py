"""Clients of AWS's services, made by botocore alone.

boto3 makes the same clients, also by botocore. What it adds (resources, transfers with thread and process pools) would
be the largest part of a cold start, and nothing here uses it: ``aws.multipart`` sends parts while they are made.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from botocore.config import Config
from botocore.session import Session, get_session


@lru_cache
def client(service: str, config: Config | None = None) -> Any:
    """The client of a service, one per process; botocore's clients are safe to share between threads."""
    return _session().create_client(service, config=config)


@lru_cache(maxsize=1)
def _session() -> Session:
    return get_session()
