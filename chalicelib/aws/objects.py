"""Objects of the bucket.

``incoming/`` has uploaded files, ``decks/`` compiled decks, ``rated/`` segments (files of rated calls), ``rejected/``
refused lines. A segment has a random name and is read only if an item of the index names it, so one that a crash leaves
behind is never read.
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
"""Size of a part of a multipart upload, which is in memory; S3 takes 10,000 parts of an object."""
URL_SECONDS = 900
"""How long a presigned URL is valid."""


_ADDRESSED = Config(
    # New buckets accept presigned URLs only with this signature.
    signature_version="s3v4",
    # Presigned URLs name the host of the bucket and its region. The host without a region answers 307 for a new bucket
    # of another region, and its signature holds for one host only.
    s3={"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"},
)


@lru_cache(maxsize=1)
def s3() -> Any:
    """The client of S3 for all but ``writer``'s requests."""
    return clients.client("s3", _ADDRESSED)


@lru_cache(maxsize=1)
def writer() -> Any:
    """The client of S3 for requests that it answers when it has stored or deleted much; the API makes none of them."""
    return clients.client("s3", _ADDRESSED.merge(Config(read_timeout=clients.PATIENT_SECONDS)))


def bucket(**more: Any) -> dict[str, Any]:
    """The parameters of a request that name the bucket and the account that must own it, and ``more``.

    Presigned URLs leave the account out: with it, they would work only with a further header.
    """
    owner = {"ExpectedBucketOwner": settings.bucket_owner} if settings.bucket_owner else {}
    return {"Bucket": settings.bucket, **owner, **more}


def blocks(key: str, version_id: str) -> Iterator[bytes]:
    """The bytes of an object, in blocks; of its latest version if ``version_id`` is empty."""
    answer = s3().get_object(**bucket(Key=key), **_version(version_id))
    yield from answer["Body"].iter_chunks(BLOCK_BYTES)


def look(key: str, version_id: str) -> tuple[int, int] | None:
    """Size in bytes of an object, and the instant of its upload; ``None`` if it does not exist."""
    try:
        answer = s3().head_object(**bucket(Key=key), **_version(version_id))
    except ClientError as problem:
        if problem.response["Error"]["Code"] in ("404", "NoSuchKey", "NoSuchVersion"):
            return None
        raise
    return int(answer["ContentLength"]), int(answer["LastModified"].timestamp())


def _version(version_id: str) -> dict[str, str]:
    return {"VersionId": version_id} if version_id else {}


class Missing(Exception):
    """An object does not exist, or has no such bytes."""


def read(key: str, offset: int = 0, length: int | None = None) -> bytes:
    """The bytes of an object, or ``length`` of them from ``offset`` on; raises ``Missing``."""
    span = {} if length is None else {"Range": f"bytes={offset}-{offset + length - 1}"}
    try:
        return bytes(s3().get_object(**bucket(Key=key), **span)["Body"].read())
    except ClientError as problem:
        if problem.response["Error"]["Code"] in ("NoSuchKey", "InvalidRange"):
            raise Missing(key) from problem
        raise


def versions(prefix: str) -> Iterator[tuple[str, str]]:
    """Key and version of every version of every object under a prefix, without delete markers."""
    pages = s3().get_paginator("list_object_versions").paginate(**bucket(Prefix=prefix))
    for page in pages:
        yield from ((version["Key"], version["VersionId"]) for version in page.get("Versions", []))


def objects(prefix: str, after: str) -> Iterator[tuple[str, int]]:
    """Key and instant of writing of every object under a prefix whose key is behind ``after``, in order of the keys."""
    pages = s3().get_paginator("list_objects_v2").paginate(**bucket(Prefix=prefix, StartAfter=after))
    for page in pages:
        yield from ((entry["Key"], int(entry["LastModified"].timestamp())) for entry in page.get("Contents", []))


def delete(keys: Sequence[str]) -> None:
    """Delete objects, if they exist; ``RuntimeError`` if S3 refuses any."""
    for at in range(0, len(keys), 1000):
        request = {"Objects": [{"Key": key} for key in keys[at : at + 1000]], "Quiet": True}
        failed = writer().delete_objects(**bucket(Delete=request)).get("Errors")
        if failed:
            raise RuntimeError(f"{len(failed)} objects could not be deleted, the first one {failed[0]}")


def write(key: str, body: bytes | IO[bytes], content_type: str = "application/octet-stream") -> None:
    """Write an object in one request: up to 5 GB; a file is streamed from its present position."""
    stream = io.BytesIO(body) if isinstance(body, bytes) else body
    writer().put_object(**bucket(Key=key, Body=stream, ContentType=content_type))


def download_url(key: str) -> str:
    """A URL that downloads an object, for ``URL_SECONDS``."""
    params = {"Bucket": settings.bucket, "Key": key}
    return str(s3().generate_presigned_url("get_object", Params=params, ExpiresIn=URL_SECONDS))


def upload_url(key: str) -> str:
    """A URL that takes one object by PUT, for ``URL_SECONDS``."""
    params = {"Bucket": settings.bucket, "Key": key}
    return str(s3().generate_presigned_url("put_object", Params=params, ExpiresIn=URL_SECONDS))
