"""A layer of AWS's own answers in front of the emulated S3, which forgives what S3 does not.

- A role may do what its policy in ``.chalice/`` says, and nothing else. An object that is not there is 404 for a role
  that may list its key (``s3:ListBucket``, with the key as ``s3:prefix``), and 403 for every other.
- A bucket belongs to one account: a request that expects another owner is 403.
- The host without a region answers 307 for a bucket of another region than us-east-1, with the regional host in
  ``Location``. (AWS does so for a day after the bucket was made; in regions that an account opts into, always.)
"""

from __future__ import annotations

import fnmatch
import io
import json
import re
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

ACCOUNT = "123456789012"
"""Who owns the bucket."""
_POLICIES = Path(__file__).parents[1] / ".chalice"
_REGIONAL = re.compile(r"^(?P<bucket>[a-z0-9-]+)\.s3\.(?P<region>[a-z]+-[a-z]+-\d)\.amazonaws\.com$")
_WITHOUT_REGION = re.compile(r"^((?P<bucket>[a-z0-9-]+)\.)?s3\.amazonaws\.com$")
_WRITES = {"PUT": "s3:PutObject", "POST": "s3:PutObject", "DELETE": "s3:DeleteObject"}


class Asked(NamedTuple):
    """An action of IAM, and the key (or the prefix of a list) that it is about."""

    action: str
    key: str


class Role(NamedTuple):
    """The role of a function; ``without`` is an action that its policy lacks for once."""

    function: str
    without: str = ""

    def allows(self, asked: Asked) -> bool:
        statements = json.loads((_POLICIES / f"policy-{self.function}.json").read_text())["Statement"]
        matching = [each for each in statements if asked.action in each["Action"] and _covers(each, asked)]
        return bool(matching) and asked.action != self.without


def _covers(statement: Mapping[str, Any], asked: Asked) -> bool:
    resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
    if asked.action.startswith("s3:List"):
        if {"Fn::GetAtt": ["Bucket", "Arn"]} not in resources:
            return False
        patterns = statement.get("Condition", {}).get("StringLike", {}).get("s3:prefix", ["*"])
    else:
        patterns = [str(each.get("Fn::Sub", "")).partition("${Bucket.Arn}/")[2] for each in resources]
    return any(fnmatch.fnmatchcase(asked.key, pattern) for pattern in patterns if pattern)


def asked_by(method: str, url: str, body: bytes) -> list[Asked]:
    """What a request in path style asks for. A deletion of several objects asks for each."""
    parts = urlsplit(url)
    key, query = unquote(parts.path).lstrip("/").partition("/")[2], parse_qs(parts.query, keep_blank_values=True)
    if key:
        read = "s3:GetObjectVersion" if "versionId" in query else "s3:GetObject"
        return [Asked(_WRITES.get(method, read), key)]
    if "delete" in query:
        return [Asked("s3:DeleteObject", each.decode()) for each in re.findall(rb"<Key>(.*?)</Key>", body)]
    listing = "s3:ListBucketVersions" if "versions" in query else "s3:ListBucket"
    return [Asked(listing, query.get("prefix", [""])[0])]


@contextmanager
def as_role(function: str, without: str = "") -> Iterator[list[Asked]]:
    """While the block runs, the product's requests to S3 are answered as S3 answers the role of a function.

    Yields the requests that were refused.
    """
    from botocore import handlers

    from chalicelib.aws import objects
    from local.emulator import InProcess

    (emulated,) = [
        handler
        for name, handler, *_ in handlers.BUILTIN_HANDLERS
        if name == "before-send" and isinstance(getattr(handler, "__self__", None), InProcess)
    ]
    layer = _Layer(Role(function, without), emulated)
    emitters = [client.meta.events for client in (objects.s3(), objects.writer())]
    for each in emitters:
        each.unregister("before-send", emulated)
        each.register("before-send", layer.answer)
    try:
        yield layer.refused
    finally:
        for each in emitters:
            each.unregister("before-send", layer.answer)
            each.register("before-send", emulated)


class _Layer:
    def __init__(self, role: Role, emulated: Callable[..., Any]) -> None:
        self._role, self._emulated = role, emulated
        self.refused: list[Asked] = []

    def answer(self, request: Any, **_: Any) -> Any:
        body = request.body if isinstance(request.body, bytes) else b""
        asked = asked_by(request.method, request.url, body)
        owner = request.headers.get("x-amz-expected-bucket-owner", ACCOUNT)
        owner = owner.decode() if isinstance(owner, bytes) else owner
        if owner != ACCOUNT or not all(map(self._role.allows, asked)):
            return self._refuse(request, asked)
        found = self._emulated(request)
        listing = [Asked("s3:ListBucket", key) for _, key in asked]
        if found.status_code == 404 and not all(map(self._role.allows, listing)):
            return self._refuse(request, asked)
        return found

    def _refuse(self, request: Any, asked: list[Asked]) -> Any:
        from botocore.awsrequest import AWSResponse

        self.refused += asked
        text = b"" if request.method == "HEAD" else b"<Error><Code>AccessDenied</Code><Message>Denied</Message></Error>"
        return AWSResponse(request.url, 403, {"content-type": "application/xml"}, _Raw(text))


class _Raw(io.BytesIO):
    def stream(self, amt: int | None = None, decode_content: bool | None = None) -> Iterator[bytes]:
        yield self.read()


class Answered(NamedTuple):
    status: int
    location: str
    body: bytes


def fetch(url: str, region: str, endpoint: str, method: str = "GET", body: bytes | None = None) -> Answered:
    """What the internet answers a presigned URL of a bucket in ``region``; its objects are those at ``endpoint``."""
    parts = urlsplit(url)
    host, query = parts.netloc, parse_qs(parts.query)
    if found := _WITHOUT_REGION.match(host):
        if region != "us-east-1":
            bucket = found["bucket"] or parts.path.split("/")[1]
            return Answered(307, f"https://{bucket}.s3.{region}.amazonaws.com{parts.path}?{parts.query}", b"")
        raise AssertionError("a presigned URL names its region, in us-east-1 too")
    regional = _REGIONAL.match(host)
    signed_for = query.get("X-Amz-Credential", [""])[0].split("/")
    if parts.scheme != "https" or not regional or regional["region"] != region or signed_for[2:3] != [region]:
        return Answered(403, "", b"")
    request = urllib.request.Request(f"{endpoint}/{regional['bucket']}{parts.path}", body, method=method)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
        return Answered(answer.status, "", answer.read())
