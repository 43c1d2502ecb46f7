"""How requests to AWS are limited and addressed, and how S3 answers them where the emulator forgives."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import s3_as_on_aws
from botocore.exceptions import ClientError
from s3_as_on_aws import ACCOUNT, as_role, fetch

ROOT = Path(__file__).resolve().parents[2]
ON_AWS = {"FORFAIT_STAGE": "prod", "FORFAIT_TABLE": "t", "FORFAIT_QUEUE": "q", "FORFAIT_HOURLY_QUEUE": "h"}
LIMITS = """
import json
from chalicelib.aws import clients, objects
from chalicelib.aws.items import Item
made = [clients.client(name) for name in ("secretsmanager", "sesv2", "sqs")]
made += [objects.s3(), Item._get_connection().connection.client, objects.writer()]
print(json.dumps([[c.connect_timeout, c.read_timeout, c.retries] for c in (each.meta.config for each in made)]))
"""


@pytest.fixture(scope="module")
def limits() -> list[Any]:
    """Seconds to connect, seconds to read, and retries of every client on AWS; the last one is S3's for writes."""
    environ = {**os.environ, **ON_AWS, "FORFAIT_BUCKET": "b", "AWS_DEFAULT_REGION": "eu-central-1"}
    ran = subprocess.run([sys.executable, "-c", LIMITS], cwd=ROOT, env=environ, capture_output=True, check=True)
    found: list[Any] = json.loads(ran.stdout)
    return found


@pytest.mark.system
def test_no_request_to_aws_outlives_the_apis_own_time(limits: list[Any]) -> None:
    functions = json.loads((ROOT / ".chalice" / "config.json").read_text())["stages"]["prod"]["lambda_functions"]
    seconds = functions["api_handler"]["lambda_timeout"]
    for connect, read, retries in limits[:-1]:
        assert 1 <= connect <= 2 and 3 <= read <= 5
        assert retries["mode"] == "standard"
        tries = retries["total_max_attempts"]
        pauses = sum(2**n for n in range(tries - 1))
        assert tries >= 3 and tries * (connect + read) + pauses < seconds


@pytest.mark.system
def test_only_writes_of_objects_wait_longer(limits: list[Any]) -> None:
    assert limits[-1][:2] == [1, 60]


@pytest.fixture(params=["eu-central-1", "us-east-1", "me-central-1"])
def region(request: pytest.FixtureRequest, aws: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Clients made as in that region of AWS, without the emulator's endpoint."""
    from chalicelib.aws import clients, objects

    cached = (objects.s3, objects.writer, clients.client, clients._session)
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_REGION", request.param)
    monkeypatch.setenv("AWS_DEFAULT_REGION", request.param)
    for each in cached:
        each.cache_clear()
    yield request.param
    monkeypatch.undo()
    for each in cached:
        each.cache_clear()


def test_a_presigned_url_works_at_once_in_every_region(region: str, aws: str) -> None:
    from chalicelib.aws import objects
    from chalicelib.config import settings

    key = f"incoming/cdr/r1/a file of {region}.csv"
    assert fetch(objects.upload_url(key), region, aws, "PUT", b"calls").status == 200
    url = objects.download_url(key)
    assert urlsplit(url).netloc == f"{settings.bucket}.s3.{region}.amazonaws.com"
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in url and "X-Amz-SignedHeaders=host&" in url
    assert fetch(url, region, aws) == (200, "", b"calls")


def test_the_host_without_a_region_is_redirected_and_the_signature_is_lost(aws: str) -> None:
    """What presigned URLs got before they named the region."""
    url = "https://b1.s3.amazonaws.com/rejected/x.csv?X-Amz-Credential=a%2F20260101%2Fus-east-1%2Fs3%2Faws4_request"
    first = fetch(url, "eu-central-1", aws)
    assert (first.status, urlsplit(first.location).netloc) == (307, "b1.s3.eu-central-1.amazonaws.com")
    assert fetch(first.location, "eu-central-1", aws).status == 403


def test_presigned_urls_of_the_local_stack_have_the_bucket_in_their_path(aws: str) -> None:
    from chalicelib.aws import objects
    from chalicelib.config import settings

    assert objects.download_url("a/b").startswith(f"{aws}/{settings.bucket}/a/b?X-Amz-Algorithm=AWS4-HMAC-SHA256&")


@pytest.mark.parametrize(("owner", "refusals"), [("", 0), (ACCOUNT, 0), ("999999999999", 7)])
def test_a_bucket_of_another_account_is_neither_read_nor_written(
    aws: str, monkeypatch: pytest.MonkeyPatch, owner: str, refusals: int
) -> None:
    from chalicelib.aws import multipart, objects
    from chalicelib.config import settings

    objects.write("rated/mine", b"x" * 10)
    monkeypatch.setattr(objects, "settings", dataclasses.replace(settings, bucket_owner=owner))
    growing = multipart.Growing("rated/grown", "text/csv", 5 << 20)
    # The check of the bucket's owner needs no permission of its own: any role that has all of these will do.
    monkeypatch.setattr(s3_as_on_aws.Role, "allows", lambda role, asked: True)
    requests = (
        lambda: objects.read("rated/mine"),
        lambda: list(objects.blocks("rated/mine", "")),
        lambda: objects.look("rated/mine", ""),
        lambda: list(objects.objects("rated/", "")),
        lambda: list(objects.versions("rated/")),
        lambda: (growing.add(b"y" * (6 << 20)), growing.add(b"z"), growing.close()),
        lambda: objects.delete(["rated/mine"]),
    )
    refused = 0
    with as_role("sweep"):
        for request in requests:
            try:
                request()
            except ClientError as problem:
                assert problem.response["Error"]["Code"] in ("AccessDenied", "403")
                refused += 1
    assert refused == refusals
    assert "Owner" not in objects.download_url("rated/mine") + objects.upload_url("rated/mine")


@pytest.mark.parametrize(("without", "told"), [("", "Missing"), ("s3:ListBucket", "AccessDenied")])
def test_a_lost_object_is_told_from_a_forbidden_one_only_by_who_may_list(aws: str, without: str, told: str) -> None:
    from chalicelib.aws import objects

    with as_role("reconcile", without), pytest.raises((objects.Missing, ClientError)) as problem:
        objects.read("rated/r1/c1/2026-09/lost.gz")
    assert problem.type.__name__ == told


@pytest.mark.parametrize("function", ["api_handler", "rate_dropped_files", "reconcile"])
def test_every_function_that_reads_objects_is_told_that_one_is_gone(aws: str, function: str) -> None:
    from chalicelib.aws import objects

    readable = {"rated/", *(["decks/"] if function != "reconcile" else [])}
    with as_role(function) as refused:
        for prefix in readable:
            with pytest.raises(objects.Missing):
                objects.read(f"{prefix}gone")
        if function == "rate_dropped_files":
            assert objects.look("incoming/cdr/r1/gone.csv", "") is None
    assert refused == []


def test_a_message_that_a_queue_refuses_does_not_hold_back_the_others(aws: str, monkeypatch: Any) -> None:
    """The hourly function sends one for each reseller, ten at a time."""
    from chalicelib.aws import queues

    sent: list[str] = []

    class Sqs:
        def get_queue_url(self, **_: Any) -> dict[str, str]:
            return {"QueueUrl": "http://queue"}

        def send_message_batch(self, Entries: list[dict[str, str]], **_: Any) -> dict[str, Any]:
            bodies = [each["MessageBody"] for each in Entries]
            sent.extend(body for body in bodies if body != "3")
            return {"Failed": [{"Id": "3"}] if "3" in bodies else []}

    monkeypatch.setattr(queues, "_sqs", Sqs)
    with pytest.raises(RuntimeError, match="refused 1 messages"):
        queues.send("q", map(str, range(25)))
    assert sent == [str(n) for n in range(25) if n != 3]
