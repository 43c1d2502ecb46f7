"""Clients of AWS's services, made by botocore alone, with limits of time and repetition.

boto3 makes the same clients, also by botocore. What it adds (resources, transfers with thread and process pools) would
be the largest part of a cold start, and nothing here uses it: ``aws.multipart`` sends parts while they are made.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from botocore.config import Config
from botocore.session import Session, get_session

from chalicelib.config import settings

CONNECT_SECONDS, ATTEMPTS = 1, 4
"""Limit for a connection to AWS, and how often a request is sent in all.

The pauses between the tries are at most 1, 2 and 4 seconds (botocore's mode ``standard``). So a request that is never
answered ends after 27 seconds, and the API can still say so within its 29.
"""
PATIENT_SECONDS = 60
"""Limit for each wait on an answer that takes long: of S3 when it stores a large object."""
READ_SECONDS = PATIENT_SECONDS if settings.is_local else 4
"""Limit for each wait on any other answer. The local stack is one process, which may be busy with a large file."""


@lru_cache
def client(service: str, config: Config | None = None) -> Any:
    """The client of a service, one per process; botocore's clients are safe to share between threads."""
    limits = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
    )
    return _session().create_client(service, config=limits.merge(config) if config else limits)


@lru_cache(maxsize=1)
def _session() -> Session:
    return get_session()
