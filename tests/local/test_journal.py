"""The journal of the local stack: its files, what a start makes of them, and what outlives ``kill -9``."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local import journal, provision
from local.files import Files
from local.journal import Journal
from local.schedule import messages
from local.stack import Stack

BUCKET, TABLE = "forfait-local", "forfait-local"
ONE, TWO, THREE = ["gone", "q", "1"], ["gone", "q", "2"], ["gone", "q", "3"]


def tiny(state: Path, **settings: str) -> Stack:
    app_folder = Path(__file__).parent / "data"
    return Stack(state, app="tinyapp", app_folder=app_folder, settings={"FORFAIT_RETRY_SECONDS": "0", **settings})


@pytest.fixture(scope="module", params=["0", "1"], ids=["memory", "disk"])
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with tiny(tmp_path_factory.mktemp("journal"), FORFAIT_FSYNC=request.param) as running:
        yield running


def cut(stack: Stack) -> None:
    stack.kill()
    stack.start()


# Its files


def test_records_are_read_in_the_order_in_which_they_were_appended(tmp_path: Path) -> None:
    kept = Journal(tmp_path, 1)
    kept.append([ONE, TWO])
    assert kept.rotate() == 2
    kept.append([THREE])
    kept.close()
    assert list(journal.read(tmp_path, 0)) == [[ONE, TWO], [THREE]]
    assert journal.next_generation(tmp_path, 0) == 3


def test_a_record_that_a_snapshot_has_is_not_read(tmp_path: Path) -> None:
    kept = Journal(tmp_path, 1)
    kept.append([ONE])
    generation = kept.rotate()
    kept.append([TWO])
    assert list(journal.read(tmp_path, generation)) == [[TWO]]
    kept.forget(generation)
    assert list(journal.read(tmp_path, 0)) == [[TWO]]


@pytest.mark.parametrize("left", range(1, 40, 3))
def test_a_torn_last_record_is_cut_off(tmp_path: Path, left: int) -> None:
    kept = Journal(tmp_path, 1)
    kept.append([ONE])
    whole = kept.size
    kept.append([TWO, THREE])
    kept.close()
    assert left < kept.size - whole
    os.truncate(tmp_path / "journal.1", whole + left)
    # The next file was written by a stack that had read this one.
    later = Journal(tmp_path, 2)
    later.append([THREE])
    assert list(journal.read(tmp_path, 0)) == [[ONE], [THREE]]


def test_a_hole_that_a_power_cut_left_ends_the_file(tmp_path: Path) -> None:
    kept = Journal(tmp_path, 1)
    kept.append([ONE])
    hole = kept.size
    kept.append([TWO])
    kept.append([THREE])
    with (tmp_path / "journal.1").open("r+b") as file:
        file.seek(hole)
        file.write(bytes(8))
    assert list(journal.read(tmp_path, 0)) == [[ONE]]


def test_a_record_that_could_not_be_written_hides_none_behind_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Journal(tmp_path, 1)
    write = os.write

    def full(file: int, data: Any) -> int:
        if len(data) <= 5:
            raise OSError(28, "No space left on device")
        return write(file, data[:5])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space left"):
            kept.append([ONE])
    kept.append([TWO])
    assert list(journal.read(tmp_path, 0)) == [[TWO]]


def test_answers_that_wait_together_share_one_fsync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []

    def slow(file: int) -> None:
        time.sleep(0.05)
        synced.append(os.fstat(file).st_size)

    async def answers(kept: Journal, count: int) -> None:
        async def answer() -> int:
            kept.append([ONE])
            mine = kept.size
            await kept.durable()
            return mine

        for mine in await asyncio.gather(*(answer() for _ in range(count))):
            assert max(synced, default=0) >= mine

    kept = Journal(tmp_path, 1, fsync=True)
    monkeypatch.setattr(os, "fsync", slow)
    asyncio.run(answers(kept, 20))
    assert 1 <= len(synced) <= 2


def test_without_fsync_no_answer_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Journal(tmp_path, 1)
    monkeypatch.setattr(os, "fsync", lambda _: pytest.fail("fsync"))
    kept.append([ONE], at_once=True)
    asyncio.run(kept.durable())


# Files of objects


def test_files_change_together_and_only_when_their_record_is_written(tmp_path: Path) -> None:
    files = Files(tmp_path, 1)
    (tmp_path / "old").write_text("old")
    (tmp_path / "bytes").write_text("first")
    files.write(str(tmp_path / "bytes"), b"second")
    files.write(str(tmp_path / "attributes"), "of the second", text=True)
    files.remove(str(tmp_path / "old"))
    assert (tmp_path / "bytes").read_text() == "first"
    changes = files.taken()
    files.carry_out(changes)
    assert [(tmp_path / name).read_text() for name in ("bytes", "attributes")] == ["second", "of the second"]
    assert not (tmp_path / "old").exists()
    assert files.taken() == []


def test_a_file_that_cannot_be_written_fails_its_whole_request(tmp_path: Path) -> None:
    files = Files(tmp_path, 1)
    files.write(str(tmp_path / "bytes"), b"first")
    with pytest.raises(FileNotFoundError):
        files.write(str(tmp_path / "no folder" / "attributes"), b"of the first")
    # What called it may have caught that.
    with pytest.raises(FileNotFoundError):
        files.taken()
    assert files.taken() == []


@pytest.mark.parametrize("done", range(4))
def test_a_start_finishes_the_changes_that_a_kill_broke_off(tmp_path: Path, done: int) -> None:
    """Two requests: the second removes what the first wrote, and writes something else."""
    files = Files(tmp_path, 1)
    files.write(str(tmp_path / "a"), b"first")
    files.write(str(tmp_path / "b"), b"first")
    records = [files.taken()]
    files.carry_out(records[0])
    files.write(str(tmp_path / "b"), b"second")
    files.remove(str(tmp_path / "a"))
    files.write(str(tmp_path / "c"), b"second")
    records.append(files.taken())
    files.carry_out(records[1][:done])
    # Of a third request, which was not recorded.
    files.write(str(tmp_path / "b"), b"third")
    Files(tmp_path, 2).redo(records)
    found = {path.name: path.read_text() for path in tmp_path.iterdir() if path.is_file()}
    assert found == {"b": "second", "c": "second"}


# What outlives a kill


def test_an_upload_in_parts_goes_on_after_a_kill_and_after_a_stop(stack: Stack) -> None:
    s3, where = stack.client("s3"), {"Bucket": BUCKET, "Key": "incoming/cdr/r1/in parts"}
    upload = s3.create_multipart_upload(**where)["UploadId"]
    s3.create_multipart_upload(Bucket=BUCKET, Key="other")
    parts = []
    for number, text in enumerate([b"x" * (5 << 20), b"y" * (5 << 20), b"fine"], 1):
        s3.upload_part(**where, UploadId=upload, PartNumber=number, Body=b"replaced")
        sent = s3.upload_part(**where, UploadId=upload, PartNumber=number, Body=text)
        parts.append({"PartNumber": number, "ETag": sent["ETag"]})
        if number == 1:
            cut(stack)
        else:
            stack.stop()
            stack.start()
        s3 = stack.client("s3")
    version = s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": parts})["VersionId"]
    cut(stack)
    found = stack.client("s3").get_object(**where, VersionId=version)
    assert found["Body"].read() == b"x" * (5 << 20) + b"y" * (5 << 20) + b"fine"
    assert [path.name for path in (stack.folder.path / "parts").iterdir()] == []
    assert [each["Key"] for each in stack.client("s3").list_multipart_uploads(Bucket=BUCKET)["Uploads"]] == ["other"]


def test_versions_and_delete_markers_outlive_a_kill(stack: Stack) -> None:
    s3, where = stack.client("s3"), {"Bucket": BUCKET, "Key": "versions"}
    first, second, third = (s3.put_object(**where, Body=text)["VersionId"] for text in (b"1", b"2", b"3"))
    s3.delete_object(**where, VersionId=third)
    marker = s3.delete_object(**where)["VersionId"]
    s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "versions", "VersionId": first}]})
    cut(stack)
    s3 = stack.client("s3")
    listed = s3.list_object_versions(Bucket=BUCKET, Prefix="versions")
    assert [each["VersionId"] for each in listed["Versions"]] == [second]
    assert [(each["VersionId"], each["IsLatest"]) for each in listed["DeleteMarkers"]] == [(marker, True)]
    s3.delete_object(**where, VersionId=marker)
    cut(stack)
    assert stack.client("s3").get_object(**where)["Body"].read() == b"2"


def test_items_are_as_the_last_answer_left_them(stack: Stack) -> None:
    dynamodb, key = stack.client("dynamodb"), {"pk": {"S": "a"}, "sk": {"S": "1"}}
    where, hashed = {"TableName": TABLE, "Key": key}, provision.INDEXES[0]["KeySchema"][0]["AttributeName"]
    add = {"UpdateExpression": "ADD times :one SET due = :due", "ExpressionAttributeValues": {":one": {"N": "1"}}}
    add["ExpressionAttributeValues"] |= {":due": {"B": b"\0\xff"}}
    for _ in range(3):
        dynamodb.update_item(**where, **add)
    dynamodb.put_item(TableName=TABLE, Item={"pk": {"S": "a"}, "sk": {"S": "2"}})
    dynamodb.put_item(TableName=TABLE, Item={"pk": {"S": "a"}, "sk": {"S": "3"}, hashed: {"S": "d"}})
    dynamodb.delete_item(TableName=TABLE, Key={"pk": {"S": "a"}, "sk": {"S": "2"}})
    token = {"ClientRequestToken": "a-token-of-this-test"}
    update = {"TransactItems": [{"Update": {**where, **add}}], **token}
    dynamodb.transact_write_items(**update)
    for leave in (lambda: cut(stack), lambda: (stack.stop(), stack.start())):
        leave()
        dynamodb = stack.client("dynamodb")
        # A client that got no answer repeats it.
        dynamodb.transact_write_items(**update)
        found = dynamodb.query(
            TableName=TABLE, KeyConditionExpression="pk = :a", ExpressionAttributeValues={":a": {"S": "a"}}
        )["Items"]
        assert found == [
            {**key, "times": {"N": "4"}, "due": {"B": b"\0\xff"}},
            {"pk": {"S": "a"}, "sk": {"S": "3"}, hashed: {"S": "d"}},
        ]
        index = {"IndexName": provision.INDEXES[0]["IndexName"], "KeyConditionExpression": f"{hashed} = :d"}
        assert dynamodb.query(TableName=TABLE, **index, ExpressionAttributeValues={":d": {"S": "d"}})["Count"] == 1


def test_messages_keep_ids_receipts_and_counts(stack: Stack) -> None:
    sqs = stack.client("sqs")
    url = sqs.create_queue(QueueName="mine")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "77"})
    ids = {text: sqs.send_message(QueueUrl=url, MessageBody=text)["MessageId"] for text in ("deleted", "held", "shown")}
    held = {each["Body"]: each for each in _receive(sqs, url, 3)}
    sqs.delete_message(QueueUrl=url, ReceiptHandle=held["deleted"]["ReceiptHandle"])
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=held["shown"]["ReceiptHandle"], VisibilityTimeout=0)
    cut(stack)
    sqs = stack.client("sqs")
    assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]["VisibilityTimeout"] == "77"
    (shown,) = _receive(sqs, url, 10)
    assert (shown["Body"], shown["MessageId"]) == ("shown", ids["shown"])
    assert shown["Attributes"]["ApproximateReceiveCount"] == "2"
    sqs.delete_message(QueueUrl=url, ReceiptHandle=held["held"]["ReceiptHandle"])
    sqs.delete_message(QueueUrl=url, ReceiptHandle=shown["ReceiptHandle"])
    cut(stack)
    assert messages(stack.running)["mine"] == 0


def _receive(sqs: Any, url: str, most: int) -> list[Any]:
    named = {"MaxNumberOfMessages": most, "MessageSystemAttributeNames": ["All"]}
    return list(sqs.receive_message(QueueUrl=url, **named).get("Messages", []))


def test_cuts_and_stops_take_no_try_from_a_message_in_flight(tmp_path: Path) -> None:
    with tiny(tmp_path) as stack:
        stack.client("s3").put_object(Bucket=BUCKET, Key="incoming/cdr/r1/long", Body=b"sleep")
        for number in range(6):
            _wait(lambda: _in_flight(stack) == 1)
            stack.kill() if number else stack.stop()
            stack.start()
        assert messages(stack.running)["forfait-local-incoming-dead"] == 0
        stack.client("s3").put_object(Bucket=BUCKET, Key="wake", Body=b"")
        _wait(lambda: messages(stack.running)["forfait-local-incoming"] == 0)
        seen = stack.client("s3").get_object(Bucket=BUCKET, Key="seen/long")["Body"].read()
        assert b'"tries": 1' in seen


def test_a_try_that_failed_counts_after_a_kill(tmp_path: Path) -> None:
    with tiny(tmp_path, FORFAIT_RETRY_SECONDS="0") as stack:
        stack.client("s3").put_object(Bucket=BUCKET, Key="incoming/cdr/r1/bad", Body=b"always raise")
        dead = "forfait-local-incoming-dead"
        _wait(lambda: stack.folder.log.read_text().count("failed: ValueError") >= 2)
        cut(stack)
        _wait(lambda: messages(stack.running)[dead] == 1)
        # The fifth is the last one; the cut may have broken one off.
        assert 5 <= stack.folder.log.read_text().count("failed: ValueError") <= 6
        cut(stack)
        assert messages(stack.running) | {dead: 1} == messages(stack.running)


def test_a_crash_between_a_snapshot_and_the_cutting_of_the_journal_applies_nothing_twice(tmp_path: Path) -> None:
    with tiny(tmp_path) as stack:
        sqs = stack.client("sqs")
        url = sqs.create_queue(QueueName="mine")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody="stays")
        sqs.send_message(QueueUrl=url, MessageBody="goes")
        (first,) = _receive(sqs, url, 1)
        kept = {path: path.read_bytes() for path in tmp_path.glob("journal.*")}
        assert any(b"stays" in data for data in kept.values())
        sqs.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
        stack.stop()
        for path, data in kept.items():
            path.write_bytes(data)
        stack.start()
        assert messages(stack.running)["mine"] == 1
        assert not any(path.exists() for path in kept)


def test_a_folder_that_is_copied_while_the_stack_runs_is_one_after_a_power_cut(tmp_path: Path) -> None:
    with tiny(tmp_path / "one") as stack:
        stack.client("dynamodb").put_item(TableName=TABLE, Item={"pk": {"S": "a"}, "sk": {"S": "1"}})
        shutil.copytree(tmp_path / "one", tmp_path / "two")
        with tiny(tmp_path / "two") as other:
            assert other.client("dynamodb").scan(TableName=TABLE)["Count"] == 1


def _in_flight(stack: Stack) -> int:
    sqs = stack.client("sqs")
    url = sqs.get_queue_url(QueueName="forfait-local-incoming")["QueueUrl"]
    name = "ApproximateNumberOfMessagesNotVisible"
    return int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name])


def _wait(look: Any) -> None:
    until = time.monotonic() + 30
    while not look():
        assert time.monotonic() < until
        time.sleep(0.05)
