"""What AWS would bill for rating: the real function on real requests, at public prices.

``python -m benchmarks.cost LINES FILES CLIENTS DECK`` runs the queue's function in its own process, on an emulated AWS,
with every request counted by ``meter``.

Requests are what the function really makes, and the units of DynamoDB follow from the items it really writes. Only
Lambda's time is an estimate: the processor time of this machine, slowed down to Lambda's, and for every request the
time that AWS usually takes to answer. Cold starts, storage and the minutes that idle polling costs are left out.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.sample import Samples, Span
from benchmarks.shop import DECK_DAY, Send, World, open_shop

PRICES_AS_OF = "2026-11"
"""us-east-1, on demand, in dollars."""
WRU, RRU = 0.625e-6, 0.125e-6
S3_PUT, S3_GET = 5e-6, 0.4e-6
_LIKE_PUT = {
    f"s3:{name}"
    for name in ("PutObject", "ListObjectsV2", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload")
}
SQS_REQUEST = 0.4e-6
LAMBDA_GB_SECOND, LAMBDA_REQUEST = 1.66667e-5, 0.2e-6
LAMBDA_GB = 3008 / 1024
LAMBDA_SPEED = 0.7
"""Assumed: a Lambda processor does so much of what this machine's does."""
WAIT_SECONDS = {"dynamodb": 0.006, "s3": 0.025, "sqs": 0.006}
"""Assumed: how long a request waits for its answer within a region."""
SQS_PER_FILE = 3
"""The notification, its delivery and its deletion; no code of ours makes them."""


@dataclass
class Bill:
    """Dollars for some files, by what they are for."""

    dynamodb: float = 0
    s3: float = 0
    sqs: float = 0
    compute: float = 0

    @property
    def total(self) -> float:
        return self.dynamodb + self.s3 + self.sqs + self.compute

    def times(self, factor: float) -> Bill:
        return Bill(*(value * factor for value in asdict(self).values()))


def bill(counted: dict[str, Any]) -> Bill:
    """Dollars of what was counted: ``calls``, ``wru``, ``rru``, ``cpu`` seconds and ``files``."""
    calls: dict[str, int] = counted["calls"]
    files = int(counted["files"])
    puts = sum(number for name, number in calls.items() if name in _LIKE_PUT)
    gets = sum(number for name, number in calls.items() if name.startswith("s3:")) - puts
    sqs_requests = sum(number for name, number in calls.items() if name.startswith("sqs:"))
    waited = sum(WAIT_SECONDS[name.partition(":")[0]] * number for name, number in calls.items())
    return Bill(
        dynamodb=counted["wru"] * WRU + counted["rru"] * RRU,
        # The file itself is a request too.
        s3=(puts + files) * S3_PUT + gets * S3_GET,
        sqs=(sqs_requests + files * SQS_PER_FILE) * SQS_REQUEST,
        compute=(counted["cpu"] / LAMBDA_SPEED + waited) * LAMBDA_GB * LAMBDA_GB_SECOND + files * LAMBDA_REQUEST,
    )


def measure(samples: Samples, lines: int, files: int, deck_size: int) -> dict[str, Any]:
    """Rate ``files`` files of ``lines`` lines, of one day when there are several; everything that AWS bills."""
    paths = [samples.calls(lines)]
    if files > 1:
        step = 1440 // files
        paths = [samples.calls(lines, Span(number * step, step)) for number in range(files)]
    world = samples.world
    counts = (world.clients, world.accounts, world.custom_prefixes)
    return machine.in_child("cost", samples.deck(deck_size), *counts, *paths)


def main() -> None:
    """In the child: an emulated AWS, the sample's reseller, the function on each file; prints what was counted."""
    deck, *rest = sys.argv[1:]
    world, paths = World(*map(int, rest[:3])), list(map(Path, rest[3:]))
    from local.emulator import Emulator
    from local.settings import app_environment

    with Emulator() as emulator:
        names = app_environment("fo_" + "benchmark" * 5, "benchmark")
        os.environ.update(emulator.environment() | names)
        emulator.provision(names["FORFAIT_TABLE"], names["FORFAIT_BUCKET"], names["FORFAIT_QUEUE"])
        print(json.dumps(_rate(world, Path(deck), paths, names)))


def _rate(world: World, deck: Path, paths: list[Path], names: dict[str, str]) -> dict[str, Any]:
    from benchmarks.meter import metering
    from chalicelib.aws import objects
    from chalicelib.rating.events import rate_dropped_files
    from local.provision import VISIBILITY_SECONDS

    gateway = in_process()
    shop = open_shop(world, sender(gateway, names["FORFAIT_OPERATOR_KEY"]), lambda key: sender(gateway, key))
    context = _context(VISIBILITY_SECONDS)

    def drop(key: str, path: Path) -> dict[str, Any]:
        put = objects.s3().put_object(Bucket=names["FORFAIT_BUCKET"], Key=key, Body=path.read_bytes())
        s3 = {"bucket": {"name": names["FORFAIT_BUCKET"]}, "object": {"key": key, "versionId": put["VersionId"]}}
        body = json.dumps({"Records": [{"s3": s3}]})
        return {"Records": [{"body": body, "receiptHandle": "", "attributes": {"ApproximateReceiveCount": "1"}}]}

    rate_dropped_files(drop(f"incoming/decks/value/{DECK_DAY}.csv", deck), context)
    events = [drop(f"incoming/cdr/{shop.reseller_id}/{path.name}", path) for path in paths]
    with metering() as meter:
        began = time.process_time()
        for event in events:
            rate_dropped_files(event, context)
        cpu = time.process_time() - began - meter.own_cpu
    send = sender(gateway, shop.key)
    batches = send("GET", f"/v1/batches?limit={len(paths)}", None)["items"]
    lines, rated = (sum(batch[name] for batch in batches) for name in ("lines", "rated"))
    if not lines or rated != lines:
        raise RuntimeError(f"{rated} of {lines} lines were rated")
    return {**meter.summary(), "cpu": cpu, "files": len(paths), "lines": lines, "peak_mb": machine.peak_mb()}


def in_process() -> Any:
    """The API in this process, behind Chalice's own local gateway."""
    from chalice.config import Config
    from chalice.local import LocalChalice, LocalGateway

    from app import app

    app.__class__ = LocalChalice
    return LocalGateway(app, Config.create(chalice_stage="local", chalice_app=app, lambda_timeout=30))


def sender(gateway: Any, key: str) -> Send:
    def send(method: str, path: str, body: Any = None) -> Any:
        raw = b"" if body is None else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {key}", "accept": "*/*", "content-length": str(len(raw))}
        answer = gateway.handle_request(method, path, headers | {"content-type": "application/json"}, raw)
        if answer["statusCode"] >= 400:
            raise RuntimeError(f"{method} {path} answered {answer['statusCode']}: {answer['body'][:500]}")
        return json.loads(answer["body"])

    return send


def _context(seconds: int) -> Any:
    from chalice.local import LambdaContext

    return LambdaContext("rate_dropped_files", 3008, max_runtime_ms=seconds * 1000)


if __name__ == "__main__":
    main()
