"""A stack that is killed at random moments under load: what was answered is there afterwards, once.

Writers count every 2xx, and what they had in hand when no answer came: of that, one may be there, and never two.
"""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import examples
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from local.demo.http import Api, Problem, wait_for
from local.schedule import messages
from local.settings import REGION
from local.stack import Stack

pytestmark = pytest.mark.long

BUCKET, TABLE = "forfait-local", "forfait-local"
KILLS = 40 if examples.PROFILE == "long" else 5
LINES = 40
HEADER = "call_id,start,direction,account,from,to,disposition,seconds"
DECK = b"prefix,destination,rate_per_minute,initial,increment\n1416,Toronto,0.01,60,60\n"
ONCE = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=20)


@dataclass
class Writes:
    """What one writer did: answers by name, and the names that had no answer."""

    answered: dict[str, Any] = field(default_factory=dict)
    unanswered: set[str] = field(default_factory=set)


@dataclass
class Load:
    """Writers on a stack that comes and goes; each is a thread, called with a name never used before."""

    stack: Stack
    key: str
    clients: dict[str, Any]
    up: threading.Event = field(default_factory=threading.Event)
    writes: dict[str, Writes] = field(default_factory=dict)
    batches: dict[str, str] = field(default_factory=dict)
    broken: list[BaseException] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def api(self) -> Api:
        return Api(self.stack.url, self.key)

    @property
    def answers(self) -> int:
        return sum(len(writes.answered) for writes in self.writes.values())

    def wait_for_answers(self, count: int) -> None:
        """Until so many more writes are answered."""
        enough = self.answers + count
        wait_for("answers", lambda: self.broken or self.answers >= enough or None)

    def start(self, name: str, write: Callable[[str], Any]) -> None:
        made = self.writes[name] = Writes()

        def run() -> None:
            for number in itertools.count():
                if self._over.is_set():
                    return
                each = f"{name}-{number}"
                self.up.wait(60)
                try:
                    made.answered[each] = write(each)
                except (Problem, BotoCoreError, OSError) as problem:
                    # The product must refuse nothing here. A 502 only says that the emulator was killed.
                    if getattr(problem, "status", 0) not in (0, 500, 502, 503):
                        self.broken.append(problem)
                    made.unanswered.add(each)
                    time.sleep(0.1)
                except BaseException as problem:
                    self.broken.append(problem)
                    return

        self._threads.append(threading.Thread(target=run, name=name, daemon=True))
        self._threads[-1].start()

    def watch(self) -> None:
        """Note every batch id that the API has shown."""

        def look(_: str) -> None:
            for batch in self.api.every("/v1/batches"):
                known = self.batches.setdefault(batch["key"], batch["id"])
                assert known == batch["id"]
            time.sleep(0.2)

        self.start("watch", look)

    def stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()
        assert self.broken == []


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Load, str]]:
    """The load after all kills, and the id of the client that pays and calls."""
    with Stack(Path(tmp_path_factory.mktemp("kills")), settings={"FORFAIT_RETRY_SECONDS": "1"}) as stack:
        made = Api(stack.url, stack.operator_key).post("/v1/resellers", {"name": "Voix", "email": "a@voix.example"})
        stack.client("s3").put_object(Bucket=BUCKET, Key="incoming/decks/value/2026-01-01.csv", Body=DECK)
        load = Load(stack, made["api_key"], {name: _client(stack, name) for name in ("s3", "sqs", "dynamodb")})
        package = load.api.post("/v1/packages", {"name": "Plain", "markup_percent": "0"})
        client = load.api.post("/v1/clients", {"company": "payer"})
        body = {"username": "payer", "client_id": client["id"], "package_id": package["id"]}
        load.api.post("/v1/subaccounts", body)
        decks = Api(stack.url, stack.operator_key)
        wait_for("the deck", lambda: next((d for d in decks.every("/v1/decks") if d["status"] == "published"), None))
        stack.client("sqs").create_queue(QueueName="kills")
        _start_writers(load, client["id"], made["id"])
        load.up.set()
        moments = random.Random()
        for _ in range(KILLS):
            load.wait_for_answers(moments.randrange(5, 100))
            time.sleep(moments.uniform(0, 0.1))
            stack.kill()
            load.up.clear()
            stack.start()
            load.up.set()
        load.wait_for_answers(5)
        load.stop()
        yield load, client["id"]


def _client(stack: Stack, service: str) -> Any:
    """A client that does not repeat what had no answer; the port of the emulated AWS outlives a kill."""
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": REGION}
    return boto3.session.Session().client(service, endpoint_url=stack.aws_endpoint, config=ONCE, **keys)


def _start_writers(load: Load, client: str, reseller: str) -> None:
    def pay(name: str) -> Any:
        return load.api.post(f"/v1/clients/{client}/payments", {"amount": "1.00", "description": name})["id"]

    def make(name: str) -> Any:
        return load.api.post("/v1/clients", {"company": name})["id"]

    def upload(name: str) -> Any:
        return load.api.upload(_calls(name), kind="cdr", filename=f"{name}.csv")

    def drop(name: str) -> Any:
        key = f"incoming/cdr/{reseller}/{name}.csv"
        return key, load.clients["s3"].put_object(Bucket=BUCKET, Key=key, Body=_calls(name))["VersionId"]

    def overwrite(name: str) -> Any:
        return load.clients["s3"].put_object(Bucket=BUCKET, Key="kills/one", Body=name.encode())["VersionId"]

    def send(name: str) -> Any:
        sqs = load.clients["sqs"]
        return sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName="kills")["QueueUrl"], MessageBody=name)[
            "MessageId"
        ]

    def transact(name: str) -> Any:
        put = [{"Put": {"TableName": TABLE, "Item": _item(name, part)}} for part in "ab"]
        load.clients["dynamodb"].transact_write_items(TransactItems=put)

    for writer in (pay, make, upload, drop, overwrite, send, transact):
        load.start(writer.__name__, writer)
    load.watch()


def _item(name: str, part: str) -> dict[str, Any]:
    return {"pk": {"S": f"kills#{name}"}, "sk": {"S": part}}


def _calls(name: str) -> bytes:
    rows = [f"{name}-{n},2026-10-01T00:00:00Z,outbound,payer,,+14162000000,ANSWERED,60" for n in range(LINES)]
    return "\n".join([HEADER, *rows]).encode()


def holds(found: Counter[Any], writes: Writes) -> None:
    """``found`` has each answered name once, and each unanswered one at most once."""
    assert writes.answered
    assert {name: found[name] for name in writes.answered} == dict.fromkeys(writes.answered, 1)
    assert [name for name in writes.unanswered if found[name] > 1] == []


def test_every_answered_write_of_the_api_is_there_once(killed: tuple[Load, str]) -> None:
    load, client = killed
    clients = {each["company"]: each["id"] for each in load.api.every("/v1/clients")}
    holds(Counter(each["company"] for each in load.api.every("/v1/clients")), load.writes["make"])
    assert {name: clients[name] for name in load.writes["make"].answered} == load.writes["make"].answered
    entries = [each for each in load.api.every(f"/v1/clients/{client}/ledger") if each["kind"] == "payment"]
    holds(Counter(each["description"] for each in entries), load.writes["pay"])
    ids = {each["description"]: each["id"] for each in entries}
    assert {name: ids[name] for name in load.writes["pay"].answered} == load.writes["pay"].answered


def test_every_answered_file_is_rated_once_and_keeps_its_batch_id(killed: tuple[Load, str]) -> None:
    load, client = killed
    uploads, drops = load.writes["upload"], load.writes["drop"]
    keys = {*uploads.answered.values(), *(key for key, _ in drops.answered.values())}

    batches = _when_all_are_done(load, keys)
    assert {(each["status"], each["rated"], each["duplicates"]) for each in batches} == {("done", LINES, 0)}
    assert set(Counter(each["key"] for each in batches).values()) == {1}
    ids = {each["key"]: each["id"] for each in batches}
    assert load.batches
    assert {key: ids.get(key) for key in load.batches} == load.batches
    entries = list(load.api.every(f"/v1/clients/{client}/ledger"))
    paid = sum(Decimal(each["amount"]) for each in entries if each["kind"] == "payment")
    balance = Decimal(load.api.get(f"/v1/clients/{client}")["balance"])
    assert paid - balance == len(batches) * LINES * Decimal("0.01")
    load.stack.run_schedule("reconcile", datetime.now(UTC))


def _when_all_are_done(load: Load, keys: set[str]) -> list[Any]:
    """The batches when no file waits any more. However many wait, another must be done before patience ends."""
    found: list[Any] = []

    def progress() -> bool | None:
        """Whether all are done; ``None`` when nothing is new."""
        before = len(_over(found))
        waiting = messages(load.stack.running)["forfait-local-incoming"]
        found[:] = load.api.every("/v1/batches")
        if not waiting and len(_over(found)) == len(found) and keys <= {each["key"] for each in found}:
            return True
        return False if len(_over(found)) > before else None

    while not wait_for("another batch", progress):
        pass
    return found


def _over(batches: list[Any]) -> list[Any]:
    return [each for each in batches if each["status"] != "rating"]


def test_no_message_is_dead_and_none_is_lost_or_doubled(killed: tuple[Load, str]) -> None:
    load, _ = killed
    found = messages(load.stack.running)
    assert {name: count for name, count in found.items() if name.endswith("-dead")} != {}
    assert [name for name, count in found.items() if name.endswith("-dead") and count] == []
    sqs, ids, bodies = load.stack.client("sqs"), {}, Counter[str]()
    url = sqs.get_queue_url(QueueName="kills")["QueueUrl"]
    while received := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=600).get("Messages"):
        ids |= {each["Body"]: each["MessageId"] for each in received}
        bodies.update(each["Body"] for each in received)
    holds(bodies, load.writes["send"])
    assert {name: ids[name] for name in load.writes["send"].answered} == load.writes["send"].answered


def test_every_answered_version_of_an_object_has_its_id_and_its_bytes(killed: tuple[Load, str]) -> None:
    load, _ = killed
    s3 = load.stack.client("s3")
    for name, (key, version) in load.writes["drop"].answered.items():
        assert s3.get_object(Bucket=BUCKET, Key=key, VersionId=version)["Body"].read() == _calls(name)
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=BUCKET, Prefix="kills/one")
    versions = [each for page in pages for each in page["Versions"]]
    read = {
        each["VersionId"]: s3.get_object(Bucket=BUCKET, Key="kills/one", VersionId=each["VersionId"])["Body"]
        for each in versions
    }
    texts = {version: body.read().decode() for version, body in read.items()}
    holds(Counter(texts.values()), load.writes["overwrite"])
    assert {name: texts[version] for name, version in load.writes["overwrite"].answered.items()} == {
        name: name for name in load.writes["overwrite"].answered
    }
    newest = next(each["VersionId"] for each in versions if each["IsLatest"])
    assert s3.get_object(Bucket=BUCKET, Key="kills/one")["Body"].read().decode() == texts[newest]


def test_a_transaction_is_there_whole_or_not_at_all(killed: tuple[Load, str]) -> None:
    load, _ = killed
    dynamodb, writes = load.stack.client("dynamodb"), load.writes["transact"]
    found: Counter[str] = Counter()
    for name in [*writes.answered, *writes.unanswered]:
        there = ["Item" in dynamodb.get_item(TableName=TABLE, Key=_item(name, part)) for part in "ab"]
        assert there[0] == there[1]
        found[name] = int(there[0])
    holds(found, writes)
