"""The local stack, run for real: a tiny application in it, files dropped, processes killed."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local import provision
from local.emulator import Emulator
from local.gateway import Routes
from local.schedule import ScheduleFailed
from local.settings import aws_environment, read
from local.stack import Stack

ROOT = Path(__file__).resolve().parents[2]
BUCKET = "forfait-local"


def tiny(state: Path, **more: Any) -> Stack:
    """A stack with the tiny application, hasty retries, and keys of its own, not those that tests share."""
    settings = {"FORFAIT_RETRY_SECONDS": "0", "FORFAIT_OPERATOR_KEY": "", "FORFAIT_SIGNING_KEY": ""}
    return Stack(state, app="tinyapp", app_folder=Path(__file__).parent / "data", settings=settings, **more)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with tiny(tmp_path_factory.mktemp("stack")) as running:
        yield running


def drop(stack: Stack, name: str, text: str) -> None:
    stack.client("s3").put_object(Bucket=BUCKET, Key=f"incoming/cdr/r1/{name}", Body=text)


def what(stack: Stack, name: str) -> Any:
    """What the queue's function wrote about a dropped file, once it has."""
    s3 = stack.client("s3")
    for _ in range(600):
        try:
            return json.loads(s3.get_object(Bucket=BUCKET, Key=f"seen/{name}")["Body"].read())
        except s3.exceptions.NoSuchKey:
            time.sleep(0.05)
    raise AssertionError(f"{name} was never seen; the log:\n{stack.folder.log.read_text()}")


def ask(
    stack: Stack, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection(stack.url.removeprefix("http://"), timeout=20)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def raw(stack: Stack, request: bytes) -> bytes:
    """What comes back for bytes that no client library would send."""
    host, _, port = stack.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as sock:
        sock.sendall(request)
        sock.shutdown(socket.SHUT_WR)
        got = b""
        while data := sock.recv(65_536):
            got += data
    return got


# Events


def test_a_dropped_file_reaches_the_queues_function_in_the_worker_without_app(stack: Stack) -> None:
    drop(stack, "a file+é.csv", "fine")
    seen = what(stack, "a file+é.csv")
    assert seen["key"] == "incoming/cdr/r1/a file+é.csv"
    assert (seen["tries"], seen["app"]) == (1, False)
    assert seen["pid"] != stack.running.pid


def test_a_failing_function_gets_its_message_again(stack: Stack) -> None:
    drop(stack, "failing", "raise")
    assert what(stack, "failing")["tries"] == 2


def test_a_worker_that_dies_is_replaced_and_its_message_delivered_again(stack: Stack) -> None:
    drop(stack, "before", "fine")
    first = what(stack, "before")["pid"]
    drop(stack, "dying", "die")
    seen = what(stack, "dying")
    assert seen["tries"] == 2
    assert seen["pid"] != first


def test_a_schedule_runs_now_with_a_pretended_date(stack: Stack) -> None:
    assert stack.run_schedule("daily", datetime(2026, 12, 3, 5, tzinfo=UTC))["time"] == "2026-12-03T05:00:00Z"
    with pytest.raises(ScheduleFailed, match="too early"):
        stack.run_schedule("daily", datetime(1999, 1, 1, tzinfo=UTC))


def test_the_schedule_command_finds_the_stack_by_its_folder(stack: Stack) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        environ = os.environ | {"FORFAIT_STATE": str(stack.folder.path)}
        command = [sys.executable, "-m", "local", "schedule", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)

    done = run("daily", "--at", "2026-12-03T06:00:00+01:00")
    assert json.loads(done.stdout)["time"] == "2026-12-03T05:00:00Z"
    unknown = run("weekly")
    assert (unknown.returncode, unknown.stderr) == (1, "no schedule 'weekly'; there are: daily\n")


def test_schedules_and_functions_are_known_to_the_emulated_aws(stack: Stack) -> None:
    rules = stack.client("events").list_rules()["Rules"]
    assert [(rule["Name"], rule["ScheduleExpression"]) for rule in rules] == [("daily", "rate(1 day)")]
    event = {"time": "2026-01-01T00:00:00Z", "detail": {}, "detail-type": "", "source": "", "account": "", "id": ""}
    payload = json.dumps({**event, "version": "0", "region": "", "resources": []})
    answer = stack.client("lambda").invoke(FunctionName="daily", Payload=payload)
    assert json.load(answer["Payload"])["time"] == "2026-01-01T00:00:00Z"


def test_functions_cannot_be_invoked_without_the_token_nor_over_the_public_port(stack: Stack) -> None:
    invoke = stack.running.invoke_url.split("/")
    path = "/" + "/".join(invoke[3:])
    assert ask(stack, "POST", path + "daily", b"{}")[0] == 404
    request = urllib.request.Request("/".join(invoke[:3]) + "/guess/daily", data=b"{}", method="POST")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=20)
    refused.value.close()
    assert refused.value.code == 404


# State


def test_the_state_survives_a_stop_and_a_kill_and_work_in_flight_is_taken_up_again(tmp_path: Path) -> None:
    with tiny(tmp_path) as stack:
        key, port = stack.operator_key, stack.aws_endpoint
        stack.client("dynamodb").put_item(TableName="forfait-local", Item={"pk": {"S": "a"}, "sk": {"S": "1"}})
        drop(stack, "first", "fine")
        what(stack, "first")
        assert stack.stop() == 0

        stack.start()
        assert (stack.operator_key, stack.aws_endpoint) == (key, port)
        drop(stack, "long", "sleep")
        stack.client("dynamodb").put_item(TableName="forfait-local", Item={"pk": {"S": "b"}, "sk": {"S": "1"}})
        time.sleep(2)
        stack.kill()

        stack.start()
        table = stack.client("dynamodb").scan(TableName="forfait-local")["Items"]
        assert sorted(item["pk"]["S"] for item in table) == ["a", "b"]
        stack.client("s3").put_object(Bucket=BUCKET, Key="wake", Body=b"")
        assert what(stack, "long")["tries"] == 1
        versions = stack.client("s3").list_object_versions(Bucket=BUCKET, Prefix="incoming/")["Versions"]
        assert [each["Key"].rpartition("/")[2] for each in versions] == ["first", "long"]


def test_a_broken_state_file_is_refused_and_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "aws.state").write_text('{"format": 99, "aws_port": 0}\n')
    with pytest.raises(RuntimeError, match="another version of the local stack"):
        tiny(tmp_path).start()
    assert "99" in (tmp_path / "aws.state").read_text()


def test_two_stacks_run_side_by_side_but_not_on_one_folder_or_port(stack: Stack, tmp_path: Path) -> None:
    with tiny(tmp_path / "other") as other:
        drop(other, "only here", "fine")
        what(other, "only here")
        assert "Contents" not in stack.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="seen/only")
        assert other.operator_key != stack.operator_key
        with pytest.raises(RuntimeError, match="another stack uses"):
            tiny(tmp_path / "other").start()
    with pytest.raises(RuntimeError, match="Address already in use; set FORFAIT_PORT to another port"):
        tiny(tmp_path / "third", http_port=int(stack.url.rpartition(":")[2])).start()


def test_secrets_are_private_and_the_environment_overrides_them(tmp_path: Path) -> None:
    mine = Stack(
        tmp_path / "mine",
        app="tinyapp",
        app_folder=Path(__file__).parent / "data",
        settings={"FORFAIT_OPERATOR_KEY": "fo_mine"},
    )
    with mine as running:
        assert running.operator_key == "fo_mine"
        assert "fo_mine" in running.folder.log.read_text()
    kept = tmp_path / "mine" / "secrets.json"
    assert json.loads(kept.read_text())["operator_key"].startswith("fo_")
    assert "fo_mine" not in kept.read_text()
    assert [oct(each.stat().st_mode & 0o777) for each in (kept, kept.parent)] == ["0o600", "0o700"]


def test_the_stack_stops_with_the_process_that_started_it(tmp_path: Path) -> None:
    stack = tiny(tmp_path)
    stack.start()
    assert stack._child is not None
    assert stack._child._process.stdin is not None
    stack._child._process.stdin.close()
    assert stack._child._process.wait(20) == 0
    assert stack.folder.running() is None


def test_ctrl_c_stops_it_cleanly(tmp_path: Path) -> None:
    stack = tiny(tmp_path)
    stack.start()
    os.kill(stack.running.pid, signal.SIGINT)
    assert stack._child is not None
    assert stack._child._process.wait(20) == 0
    stack.stop()
    assert "stopped; the state is saved" in stack.folder.log.read_text()


# HTTP


def test_routes_get_encoded_paths_and_repeated_query_values(stack: Stack) -> None:
    status, headers, body = ask(stack, "GET", "/hello/a%2Fb%20c?x=1&x=%C3%A9&empty=")
    assert (status, headers["content-type"]) == (200, "application/json")
    assert json.loads(body) == {"name": "a%2Fb%20c", "query": {"x": ["1", "é"], "empty": [""]}, "stage": "local"}
    assert ask(stack, "GET", "/hello/bob/")[0] == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/nothing"), ("PUT", "/hello/bob"), ("GET", "/hello/"), ("OPTIONS", "/hello/bob"), ("BREW", "/big")],
)
def test_an_unknown_path_or_method_is_a_404_problem(stack: Stack, method: str, path: str) -> None:
    status, headers, body = ask(stack, method, path, headers={"Authorization": "Bearer x"})
    assert (status, headers["content-type"]) == (404, "application/problem+json")
    title, detail = "Not Found", "There is no such resource."
    expected = {"type": "about:blank", "title": title, "status": 404, "detail": detail, "errors": []}
    assert json.loads(body) == expected


def test_a_head_request_is_answered_without_a_body(stack: Stack) -> None:
    got = raw(stack, b"HEAD /hello/bob HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 404 ")
    assert got.endswith(b"\r\n\r\n")


def test_a_204_has_no_body_and_the_connection_lives_on(stack: Stack) -> None:
    connection = http.client.HTTPConnection(stack.url.removeprefix("http://"), timeout=20)
    for _ in range(3):
        connection.request("DELETE", "/hello/bob")
        answer = connection.getresponse()
        assert (answer.status, answer.headers["content-length"], answer.read()) == (204, None, b"")
    connection.close()


def test_bodies_arrive_as_sent_and_cookies_come_one_by_one(stack: Stack) -> None:
    text = {"Content-Type": "text/plain; charset=utf-8"}
    status, headers, body = ask(stack, "POST", "/echo", "häßlich".encode(), text)
    assert (status, body.decode()) == (200, repr("häßlich".encode()))
    assert headers.get_all("set-cookie") == ["a=1", "b=2"]
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    assert ask(stack, "POST", "/echo", b"bytes \xf0 1", form)[2].decode() == repr(b"bytes \xf0 1")


def test_a_chunked_body_is_put_together(stack: Stack) -> None:
    head = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nConnection: close\r\n"
    chunked = head + b"Transfer-Encoding: chunked\r\n\r\n"
    assert raw(stack, chunked + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: 1\r\n\r\n").endswith(b"\r\n\r\nb'abcde'")
    assert raw(stack, chunked + b"zz\r\nabc\r\n").startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /hello/bob HTTP/1.1\r\nContent-Length: abc\r\n\r\n", 400),
        (b"GET /hello/bob HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST /echo HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
        (b"POST /echo HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc", 400),
        (b"POST /echo HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST /echo HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n", 413),
        (b"POST /echo HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 10485761\r\n\r\n", 413),
        (b"GET /hello/bob HTTP/1.1\r\nno colon here\r\n\r\n", 400),
        (b"nonsense\r\n\r\n", 400),
        (b"GET /hello/bob HTTP/7.x\r\n\r\n", 400),
    ],
)
def test_a_malformed_request_is_a_problem(stack: Stack, head: bytes, status: int) -> None:
    got = raw(stack, head)
    assert got.startswith(b"HTTP/1.1 %d " % status)
    assert b"Content-Type: application/problem+json\r\n" in got
    assert json.loads(got.partition(b"\r\n\r\n")[2])["status"] == status


def test_a_body_over_ten_megabytes_is_a_413_that_the_client_can_read(stack: Stack) -> None:
    status, headers, _ = ask(stack, "POST", "/echo", b"x" * (11 << 20), {"Content-Type": "text/plain"})
    assert (status, headers["content-type"]) == (413, "application/problem+json")


def test_an_answer_over_six_megabytes_is_a_502_problem(stack: Stack) -> None:
    status, headers, _ = ask(stack, "GET", "/big")
    assert (status, headers["content-type"]) == (502, "application/problem+json")


def test_fixed_words_of_a_route_win_over_parameters() -> None:
    routes = Routes(["/", "/v1/dids/{number}", "/v1/dids/available", "/v1/{room}/{id}/x"])
    assert routes.match("/v1/dids/available") == ("/v1/dids/available", {})
    assert routes.match("/v1/dids/%2B1555") == ("/v1/dids/{number}", {"number": "%2B1555"})
    assert routes.match("/v1/a/b/x/") == ("/v1/{room}/{id}/x", {"room": "a", "id": "b"})
    assert routes.match("/") == ("/", {})
    assert routes.match("/v1//b/x") is None


# Settings, provisioning, the emulator alone


def test_no_setting_of_the_callers_own_aws_account_gets_through() -> None:
    mine = {"AWS_PROFILE": "prod", "AWS_ENDPOINT_URL_S3": "https://s3", "AWS_SESSION_TOKEN": "t", "HOME": "/h"}
    environ = aws_environment("http://127.0.0.1:1", mine)
    assert not environ.keys() & {"AWS_PROFILE", "AWS_ENDPOINT_URL_S3", "AWS_SESSION_TOKEN"}
    assert (environ["AWS_ENDPOINT_URL"], environ["AWS_ACCESS_KEY_ID"], environ["HOME"]) == (
        "http://127.0.0.1:1",
        "test",
        "/h",
    )


def test_a_setting_that_cannot_be_read_is_named() -> None:
    with pytest.raises(SystemExit, match="FORFAIT_PORT must be a whole number from 0 to 65535, not '80a'"):
        read({"FORFAIT_PORT": "80a"})


def test_the_provisioned_things_are_as_described(stack: Stack) -> None:
    table = stack.client("dynamodb").describe_table(TableName="forfait-local")["Table"]
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["pk", "sk"]
    index = table["GlobalSecondaryIndexes"][0]
    assert (index["IndexName"], index["Projection"]["ProjectionType"]) == ("month_index", "ALL")
    ttl = stack.client("dynamodb").describe_time_to_live(TableName="forfait-local")["TimeToLiveDescription"]
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}
    assert stack.client("s3").get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    sqs = stack.client("sqs")
    url = sqs.get_queue_url(QueueName="forfait-local-incoming")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (attributes["VisibilityTimeout"], attributes["MessageRetentionPeriod"]) == ("960", "345600")
    redrive = json.loads(attributes["RedrivePolicy"])
    assert redrive["deadLetterTargetArn"].endswith(":forfait-local-incoming-dead")
    assert int(redrive["maxReceiveCount"]) == provision.MAX_RECEIVES == 5


def test_a_browser_may_put_to_a_presigned_url(stack: Stack) -> None:
    url = stack.client("s3").generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": "up/x"})
    assert url.startswith(stack.aws_endpoint)
    request = urllib.request.Request(url, data=b"text", method="PUT", headers={"Origin": "http://console.example"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.headers["Access-Control-Allow-Origin"] in ("*", "http://console.example")


def test_the_emulator_alone_forgets_on_reset() -> None:
    with Emulator() as emulator:
        emulator.provision("a-table", "a-bucket", "a-queue")
        emulator.client("dynamodb").put_item(TableName="a-table", Item={"pk": {"S": "1"}, "sk": {"S": "1"}})
        assert emulator.client("dynamodb").scan(TableName="a-table")["Count"] == 1
        emulator.reset()
        assert emulator.client("dynamodb").list_tables()["TableNames"] == []
