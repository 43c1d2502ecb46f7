"""Objects of the bucket.

``incoming/`` holds what people drop, ``decks/`` compiled decks, ``rated/`` segments of rated calls, ``rejected/``
refused lines. Segments are named at random and become visible only through their index item: a crash can leave a
segment that no index item names.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import IO, Any

from botocore.config import Config
from botocore.exceptions import ClientError

from chalicelib.aws import clients
from chalicelib.config import settings

BLOCK_BYTES = 1 << 20
PART_BYTES = 16 << 20
"""What an upload in parts holds in memory; S3 takes 10,000 parts of an object."""
URL_SECONDS = 900
"""How long a presigned upload or download is good for."""


@lru_cache(maxsize=1)
def s3() -> Any:
    # Buckets made today take no other signature for presigned URLs.
    return clients.client("s3", Config(signature_version="s3v4"))


def blocks(key: str, version_id: str) -> Iterator[bytes]:
    """An object's bytes, streamed."""
    where = {"Bucket": settings.bucket, "Key": key}
    answer = s3().get_object(**where, **({"VersionId": version_id} if version_id else {}))
    yield from answer["Body"].iter_chunks(BLOCK_BYTES)


def look(key: str, version_id: str) -> tuple[int, int] | None:
    """An object's size in bytes and the instant it was dropped; ``None`` when it is not there (any more)."""
    where = {"Bucket": settings.bucket, "Key": key}
    try:
        answer = s3().head_object(**where, **({"VersionId": version_id} if version_id else {}))
    except ClientError as problem:
        if problem.response["Error"]["Code"] in ("404", "NoSuchKey", "NoSuchVersion"):
            return None
        raise
    return int(answer["ContentLength"]), int(answer["LastModified"].timestamp())


class Missing(Exception):
    """An object, or the wanted part of it, is not in the bucket."""


def read(key: str, offset: int = 0, length: int | None = None) -> bytes:
    """An object, or ``length`` bytes of it."""
    span = {} if length is None else {"Range": f"bytes={offset}-{offset + length - 1}"}
    try:
        return bytes(s3().get_object(Bucket=settings.bucket, Key=key, **span)["Body"].read())
    except ClientError as problem:
        if problem.response["Error"]["Code"] in ("NoSuchKey", "InvalidRange"):
            raise Missing(key) from problem
        raise


def versions(prefix: str) -> Iterator[tuple[str, str]]:
    """Key and version of every object version under a prefix; deletions are not versions."""
    pages = s3().get_paginator("list_object_versions").paginate(Bucket=settings.bucket, Prefix=prefix)
    for page in pages:
        yield from ((found["Key"], found["VersionId"]) for found in page.get("Versions", []))


def objects(prefix: str, after: str) -> Iterator[tuple[str, int]]:
    """Key and time of writing of every object under a prefix, in order of the keys, from behind ``after`` on."""
    pages = s3().get_paginator("list_objects_v2").paginate(Bucket=settings.bucket, Prefix=prefix, StartAfter=after)
    for page in pages:
        yield from ((found["Key"], int(found["LastModified"].timestamp())) for found in page.get("Contents", []))


def delete(keys: Sequence[str]) -> None:
    """Delete objects; those that are gone already do no harm."""
    for at in range(0, len(keys), 1000):
        listed = {"Objects": [{"Key": key} for key in keys[at : at + 1000]], "Quiet": True}
        failed = s3().delete_objects(Bucket=settings.bucket, Delete=listed).get("Errors")
        if failed:
            raise RuntimeError(f"{len(failed)} objects could not be deleted, the first one {failed[0]}")


def write(key: str, body: bytes | IO[bytes], content_type: str = "application/octet-stream") -> None:
    """An object in one request: up to 5 GB, streamed where it is a file."""
    stream = io.BytesIO(body) if isinstance(body, bytes) else body
    s3().put_object(Bucket=settings.bucket, Key=key, Body=stream, ContentType=content_type)


def download_url(key: str) -> str:
    """Where a browser can fetch an object for ``URL_SECONDS``."""
    params = {"Bucket": settings.bucket, "Key": key}
    return str(s3().generate_presigned_url("get_object", Params=params, ExpiresIn=URL_SECONDS))


def upload_url(key: str) -> str:
    """Where a caller may PUT one object for ``URL_SECONDS``."""
    params = {"Bucket": settings.bucket, "Key": key}
    return str(s3().generate_presigned_url("put_object", Params=params, ExpiresIn=URL_SECONDS))
