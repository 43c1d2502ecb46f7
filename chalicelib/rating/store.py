"""The items and objects of this room.

``R#<reseller>`` / ``BATCH#<id>``                    a batch, with everything that its price depends on pinned
``RB#<reseller>`` / ``<place>``                      the list of batches, in order of their making
``R#<reseller>`` / ``CDRSOURCE#<source>``            what a reseller declared about its files
``T#<reseller>`` / ``RATE#<package>#<scope>#...``    custom rates, dated
``DECKS`` / ``<route>#<day>#<version>``, ``HEAD``    published decks and their version
``DECKLOG`` / ``<created>#<id>``                     every deck that was dropped, taken or refused
``L#<client>`` / ``SEG#<day>#<batch>#...``           where a client's calls of a UTC day lie in S3

Objects: ``incoming/`` (dropped by people), ``decks/`` (compiled), ``rated/`` (segments), ``rejected/``. Segments are
named at random and become visible only through their index item: one that no item names is an orphan of a crash.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import IO, Any
from urllib.parse import quote_plus

from botocore.config import Config
from botocore.exceptions import ClientError
from pynamodb.attributes import BooleanAttribute, JSONAttribute, UnicodeAttribute

from chalicelib.aws import clients, queues
from chalicelib.aws.items import IntegerAttribute
from chalicelib.aws.transactions import Item
from chalicelib.config import settings
from chalicelib.rating.store_decks import DeckDrop as DeckDrop
from chalicelib.rating.store_decks import DeckHead as DeckHead
from chalicelib.rating.store_decks import DeckVersion as DeckVersion

BLOCK_BYTES = 1 << 20
PART_BYTES = 16 << 20
"""What an upload in parts holds in memory; S3 takes 10,000 parts of an object."""
COMPACTED = "+"
"""No batch id begins like this."""
URL_SECONDS = 900
"""How long a presigned upload or download is good for."""


class Batch(Item):
    """``R#<reseller_id>`` / ``BATCH#<batch_id>``

    A ``generation`` pins what prices it at its first try; ``latest_generation`` is the highest ever begun, ``standing``
    what the earlier one came to. ``place``: order of making. ``seen_at``, ``announced_at``: see ``rescan``.
    """

    batch_id = UnicodeAttribute()
    place = UnicodeAttribute()
    reseller_id = UnicodeAttribute()
    key = UnicodeAttribute()
    version_id = UnicodeAttribute()
    status = UnicodeAttribute()
    generation = IntegerAttribute(default=0)
    latest_generation = IntegerAttribute(default=0)
    standing: Any = JSONAttribute(null=True)
    terms_version = IntegerAttribute()
    deck_version = IntegerAttribute()
    time_zone = UnicodeAttribute()
    home_country = UnicodeAttribute()
    cost_source = UnicodeAttribute()
    declared = JSONAttribute(null=True)
    lines = IntegerAttribute(default=0)
    rated = IntegerAttribute(default=0)
    rejected = IntegerAttribute(default=0)
    duplicates = IntegerAttribute(default=0)
    cost_e8 = IntegerAttribute(default=0)
    revenue_e8 = IntegerAttribute(default=0)
    has_rejects = BooleanAttribute(default=False)
    created_at = IntegerAttribute()
    started_at = IntegerAttribute(null=True)
    seen_at = IntegerAttribute(null=True)
    announced_at = IntegerAttribute(null=True)
    finished_at = IntegerAttribute(null=True)
    reason = UnicodeAttribute(null=True)


class BatchPointer(Item):
    """``RB#<reseller_id>`` / ``<place>``"""

    batch_id = UnicodeAttribute()


class CdrSource(Item):
    """``R#<reseller_id>`` / ``CDRSOURCE#<source_id>``: see ``aliases``"""

    source_id = UnicodeAttribute()
    pattern = UnicodeAttribute()
    time_zone = UnicodeAttribute(null=True)
    columns: Any = JSONAttribute(default=dict)
    words: Any = JSONAttribute(default=dict)
    defaults: Any = JSONAttribute(default=dict)


class CustomRateItem(Item):
    """``T#<reseller_id>`` / ``RATE#<package_id>#<scope>#<code>#<terms version, 12 digits>``; rate null: withdrawn"""

    package_id = UnicodeAttribute()
    scope = UnicodeAttribute()
    code = UnicodeAttribute()
    version = IntegerAttribute()
    effective_from = IntegerAttribute()
    rate_e10 = IntegerAttribute(null=True)
    initial = IntegerAttribute(default=0)
    increment = IntegerAttribute(default=0)
    connection_fee_e8 = IntegerAttribute(null=True)
    minimum_charge_e8 = IntegerAttribute(null=True)
    grace_seconds = IntegerAttribute(default=0)


class Segment(Item):
    """``L#<client_id>`` / ``SEG#<day>#<batch_id>#<generation>#<month>``; in ``day_index`` under ``R#<reseller>#<day>``

    One made of several by a compaction has ``<COMPACTED><id>`` in the place of the batch, and generation 0.
    ``day`` is in UTC and ``month`` local, so one day of one batch can lie in two segments. ``members``
    holds ``[offset, length, rows, first start, last start]`` of each gzip member of ``object_key``.
    """

    client_id = UnicodeAttribute()
    day = UnicodeAttribute()
    month = UnicodeAttribute()
    object_key = UnicodeAttribute()
    members: Any = JSONAttribute()
    rows = IntegerAttribute()
    seconds = IntegerAttribute()
    billed_seconds = IntegerAttribute()
    amount_e8 = IntegerAttribute()
    cost_e8 = IntegerAttribute()
    first = IntegerAttribute()
    last = IntegerAttribute()
    written_at = IntegerAttribute()


class Emptied(Item):
    """``L#<client_id>`` / ``EMPTIED#<month>``: calls were taken out of a month, so its file in the lake is stale"""

    token = UnicodeAttribute()


class SweepPlace(Item):
    """``SWEEP`` / ``PLACE``: the key after which the next sweep goes on, ``""`` to begin anew"""

    after = UnicodeAttribute()


class Verified(Item):
    """``R#<reseller_id>`` / ``VERIFIED``: segments written before ``upto`` have been read and found right"""

    upto = IntegerAttribute()


def batch(reseller_id: str, batch_id: str) -> Batch | None:
    return Batch.find(f"R#{reseller_id}", f"BATCH#{batch_id}")


def segments_of(client_id: str, first_day: str, last_day: str) -> list[Segment]:
    """A client's segments of some days, oldest day first."""
    return Segment.under(f"L#{client_id}", f"SEG#{first_day}", last=f"SEG#{last_day}#\U0010ffff")


def segments_of_day(reseller_id: str, day: str) -> list[Segment]:
    """Every client's segments of one day. Read from the index, which may lag a moment behind a commit."""
    return list(Segment.day_index.query(f"R#{reseller_id}#{day}"))  # type: ignore[arg-type]


def decks_upto(route: str, version: int) -> list[DeckVersion]:
    """Published decks of a route that deck version ``version`` knows, oldest day first."""
    return [row for row in DeckVersion.under("DECKS", f"{route}#") if row.version <= version]


def rates_upto(reseller_id: str, version: int, package_id: str = "") -> list[CustomRateItem]:
    """Custom rates that terms version ``version`` knows, of one package or of all."""
    prefix = f"RATE#{package_id}#" if package_id else "RATE#"
    return [row for row in CustomRateItem.under(f"T#{reseller_id}", prefix) if row.version <= version]


# --- objects ------------------------------------------------------------------------------------------------------


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


def announce(arrivals: Iterator[tuple[str, str]]) -> int:
    """Put object versions on the queue, as S3 does when they are dropped; returns how many."""
    return queues.send(settings.queue, (_message(*arrival) for arrival in arrivals))


def _message(key: str, version_id: str) -> str:
    told = {"bucket": {"name": settings.bucket}, "object": {"key": quote_plus(key), "versionId": version_id}}
    return json.dumps({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": told}]})


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
