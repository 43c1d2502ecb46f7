"""The packaged application, deployed by CloudFormation onto an AWS that enforces IAM, and used.

That AWS is ministack as it comes, in a process of its own, with ``AUTH=true``: functions run out of the zip, under
their own roles, in processes that see neither this tree nor these tests' environment. Where it differs from AWS:

- It runs every function on the Python that runs it, so the package is made for that Python.
- It does not import the gateway's own responses out of the API's definition (AWS does). The test sets those of the
  template through the gateway's API and deploys the stage again, and then looks at what they do.
- It wants ``sqs:SendMessageBatch``, which is no action of AWS (``sqs:SendMessage`` covers batches). The one function
  that sends batches is given it here, beside what its policy says.
- It speaks plain HTTP only, so the statements that refuse it (``OnlyOverTls``) are left out.
- It accepts numbers that AWS would refuse (visibility below the function's timeout, say): ``test_template`` holds them.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.exceptions import ClientError

from chalicelib import periods
from infra.deploy import Deployer, DeploymentFailed

ROOT = Path(__file__).resolve().parents[2]
REGION = "us-east-1"
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Whatever proxy the environment names: this AWS is on this machine."""
CALLS = """\
call_id,start,direction,account,from,to,disposition,seconds
1,2026-11-01T10:00:00Z,outbound,voix_1001,+14165550100,+14165550123,ANSWERED,61
2,2026-11-01T10:01:00Z,outbound,nobody,+14165550100,+14165550123,ANSWERED,61
3,2026-11-01T10:02:00Z,outbound,voix_1001,+14165550100,+442071838750,ANSWERED,61
4,2026-11-01T10:03:00Z,sideways,voix_1001,+14165550100,+14165550123,ANSWERED,61
"""
SCHEDULED = json.loads((ROOT / "infra" / "scheduled-event.json").read_text())
RETRY_FAILED = json.loads((ROOT / "infra" / "retry-failed-event.json").read_text())
"""What the operations guide tells people to send by hand."""
DECK = "prefix,destination,rate_per_minute,initial,increment\n1416,Canada Toronto,0.0052,6,6\n"


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    json: Any


@dataclass
class Aws:
    """ministack with the stack on it."""

    endpoint: str
    outputs: dict[str, str] = field(default_factory=dict)
    region_name: str = REGION

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def call(self, method: str, path: str, key: str = "", body: Any = None) -> Reply:
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
        url = f"{self.endpoint}/_aws/execute-api/{self.outputs['RestAPIId']}/api{path}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, headers, method=method)
        try:
            with DIRECT.open(request, timeout=60) as answer:
                return Reply(answer.status, dict(answer.headers), json.loads(answer.read()))
        except urllib.error.HTTPError as refusal:
            return Reply(refusal.code, dict(refusal.headers), json.loads(refusal.read()))

    def made(self, path: str, key: str, body: Any) -> dict[str, Any]:
        reply = self.call("POST", path, key, body)
        assert reply.status == 201, reply
        return dict(reply.json)

    def operator_key(self) -> str:
        secret = self.client("secretsmanager").get_secret_value(SecretId=self.outputs["SecretName"])
        return str(json.loads(secret["SecretString"])["operator_key"])

    def stack(self) -> dict[str, Any]:
        return dict(self.client("cloudformation").describe_stacks(StackName="forfait-dev")["Stacks"][0])

    def physical(self, logical_id: str) -> str:
        found = self.client("cloudformation").describe_stack_resource(
            StackName="forfait-dev", LogicalResourceId=logical_id
        )
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def invoke(self, logical_id: str, event: dict[str, Any]) -> tuple[str, str]:
        """The kind of error (empty when there was none) and what the function answered."""
        answer = self.client("lambda").invoke(FunctionName=self.physical(logical_id), Payload=json.dumps(event))
        return answer.get("FunctionError", ""), answer["Payload"].read().decode()

    @contextmanager
    def exchanged(self, logical_id: str, action: str, *others: str) -> Iterator[None]:
        """The role ``logical_id`` with other actions, or none, in place of one, while the block runs."""
        iam = self.client("iam")
        place = {"RoleName": self.physical(logical_id), "PolicyName": f"{logical_id}Policy"}
        whole = iam.get_role_policy(**place)["PolicyDocument"]
        changed = json.loads(json.dumps(whole))
        for statement in changed["Statement"]:
            actions = [(each,) if each != action else others for each in statement["Action"]]
            statement["Action"] = [each for some in actions for each in some]
        assert changed != whole
        iam.put_role_policy(**place, PolicyDocument=json.dumps(changed))
        yield
        iam.put_role_policy(**place, PolicyDocument=json.dumps(whole))


@pytest.fixture(scope="module")
def plain(packaged: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, for an AWS without TLS."""
    folder = tmp_path_factory.mktemp("plain")
    shutil.copytree(packaged.folder, folder, dirs_exist_ok=True)
    template = json.loads((folder / "template.json").read_text())
    for name, resource in list(template["Resources"].items()):
        if resource["Type"] in ("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy"):
            document = resource["Properties"]["PolicyDocument"]
            document["Statement"] = [each for each in document["Statement"] if each["Sid"] != "OnlyOverTls"]
            if not document["Statement"]:
                del template["Resources"][name]
    (folder / "template.json").write_text(json.dumps(template))
    return folder


@pytest.fixture(scope="module")
def flight(packaged: Any, plain: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    folder = tmp_path_factory.mktemp("ministack")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
    }
    with (folder / "log").open("wb") as log:
        child = subprocess.Popen([sys.executable, "-m", "ministack"], cwd=folder, env=environ, stdout=log, stderr=log)
    try:
        aws = Aws(f"http://127.0.0.1:{port}")
        until(lambda: answers(aws.endpoint))
        aws.outputs = Deployer(aws, poll_seconds=0.1).deploy("dev", plain)
        set_gateway_responses(aws, packaged.properties("RestAPI")["GatewayResponses"])
        yield aws
    finally:
        child.terminate()
        child.wait(30)


def answers(endpoint: str) -> bool:
    try:
        DIRECT.open(f"{endpoint}/_ministack/health", timeout=5).close()
    except OSError:
        return False
    return True


def until(found: Callable[[], Any], seconds: float = 60.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (result := found()):
        assert time.monotonic() < deadline, "this takes too long"
        time.sleep(0.1)
    return result


def set_gateway_responses(aws: Aws, responses: dict[str, Any]) -> None:
    gateway, api = aws.client("apigateway"), aws.outputs["RestAPIId"]
    for kind, response in responses.items():
        headers = response["ResponseParameters"]["Headers"]
        gateway.put_gateway_response(
            restApiId=api,
            responseType=kind,
            statusCode=str(response["StatusCode"]),
            responseParameters={f"gatewayresponse.header.{name}": value for name, value in headers.items()},
            responseTemplates=response["ResponseTemplates"],
        )
    gateway.create_deployment(restApiId=api, stageName="api")


def new_reseller(aws: Aws) -> dict[str, Any]:
    body = {"name": "Voix", "email": "a@voix.example", "currency": "USD", "home_country": "CA"}
    return aws.made("/v1/resellers", aws.operator_key(), {**body, "time_zone": "America/Toronto"})


def upload(aws: Aws, key: str, wanted: dict[str, str], text: str) -> None:
    """Ask for a presigned address and PUT the file there, as ``curl -T`` does."""
    told = aws.made("/v1/uploads", key, wanted)
    address = urlsplit(told["url"])
    connection = http.client.HTTPConnection(address.netloc, timeout=60)
    connection.request("PUT", f"{address.path}?{address.query}", text.encode(), told["headers"])
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    connection.close()


def done(aws: Aws, key: str) -> dict[str, Any]:
    """A reseller's only batch, once it is through."""

    def look() -> list[dict[str, Any]]:
        found = aws.call("GET", "/v1/batches", key).json["items"]
        return [batch for batch in found if batch["status"] in ("done", "failed")]

    [batch] = until(look)
    return dict(batch)


def test_the_api_answers_out_of_the_zip(flight: Aws) -> None:
    document = flight.call("GET", "/v1/openapi.json")
    assert document.status == 200
    assert document.json["openapi"].startswith("3.1")
    assert new_reseller(flight)["api_key"]


def test_an_unknown_path_is_a_problem_404_with_a_key_and_without(flight: Aws) -> None:
    for key in ("", "fk_nobody"):
        reply = flight.call("GET", "/v1/nothing-here", key)
        assert (reply.status, reply.json["status"]) == (404, 404)
        assert reply.headers["Content-Type"] == "application/problem+json"


def test_a_dropped_deck_and_a_dropped_cdr_file_reach_the_ledger(flight: Aws) -> None:
    operator, reseller = flight.operator_key(), new_reseller(flight)
    key = reseller["api_key"]
    package = flight.made("/v1/packages", key, {"name": "Basic", "markup_percent": "20"})
    client = flight.made("/v1/clients", key, {"company": "Acme", "email": "a@acme.example"})
    body = {"username": "voix_1001", "client_id": client["id"], "package_id": package["id"]}
    flight.made("/v1/subaccounts", key, body)

    deck = {"kind": "deck", "route": "value", "effective_from": "2026-01-01", "filename": "deck.csv"}
    upload(flight, operator, deck, DECK)
    until(lambda: [d for d in flight.call("GET", "/v1/decks", operator).json["items"] if d["status"] == "published"])
    upload(flight, key, {"kind": "cdr", "filename": "calls.csv"}, CALLS)
    batch = done(flight, key)

    assert (batch["status"], batch["lines"], batch["rated"], batch["rejected"]) == ("done", 4, 1, 3), batch
    # Presigned by the API's role, like the upload.
    refused = DIRECT.open(batch["rejected_url"], timeout=60).read().decode()
    assert [line.split(",")[1] for line in refused.splitlines()[1:]] == ["unknown_account", "no_rate", "bad_direction"]
    # 61 s at 6/6 are 66 s: 0.0052 x 1.2 x 66 / 60
    assert flight.call("GET", f"/v1/clients/{client['id']}", key).json["balance"] == "-0.006864"

    flight.call(
        "PATCH",
        f"/v1/packages/{package['id']}",
        key,
        {"markup_percent": "50", "effective_from": "2026-10-01T00:00:00Z"},
    )
    with flight.exchanged("ApiHandlerRole", "sqs:SendMessage", "sqs:SendMessage", "sqs:SendMessageBatch"):
        begun = flight.call("POST", f"/v1/batches/{batch['id']}/rerate", key)
    assert (begun.status, begun.json["status"]) == (202, "rating"), begun
    assert done(flight, key)["status"] == "done"
    ledger = flight.call("GET", f"/v1/clients/{client['id']}/ledger", key).json["items"]
    assert [(entry["kind"], entry["amount"]) for entry in ledger] == [
        ("call_usage", "-0.00858"),
        ("reversal", "0.006864"),
        ("call_usage", "-0.006864"),
    ]


def test_presigned_addresses_are_signed_in_the_only_way_that_new_buckets_take(flight: Aws) -> None:
    """Buckets made since June 2020 refuse signature version 2, which botocore still presigns with in old regions."""
    told = flight.made("/v1/uploads", new_reseller(flight)["api_key"], {"kind": "cdr", "filename": "calls.csv"})
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in told["url"]


def test_a_file_that_nobody_was_told_of_is_rated_by_the_nightly_functions(flight: Aws) -> None:
    reseller, bucket = new_reseller(flight), flight.outputs["BucketName"]
    s3 = flight.client("s3")
    told = s3.get_bucket_notification_configuration(Bucket=bucket)["QueueConfigurations"]
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    s3.put_object(Bucket=bucket, Key=f"incoming/cdr/{reseller['id']}/never told.csv", Body=CALLS)
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"QueueConfigurations": told})
    assert flight.call("GET", "/v1/batches", reseller["api_key"]).json["items"] == []

    with flight.exchanged("RescanRole", "sqs:SendMessage", "sqs:SendMessage", "sqs:SendMessageBatch"):
        assert flight.invoke("Rescan", SCHEDULED) == ("", "null")
    batch = done(flight, reseller["api_key"])
    assert (batch["status"], batch["lines"], batch["rejected"]) == ("done", 4, 4)
    assert flight.invoke("Reconcile", SCHEDULED) == ("", "null")
    assert flight.invoke("Sweep", SCHEDULED) == ("", "null")


def test_a_recurring_fee_is_billed_by_the_hourly_functions(flight: Aws) -> None:
    key = new_reseller(flight)["api_key"]
    package = flight.made("/v1/packages", key, {"name": "Basic", "monthly_fee": "9.90"})
    client = flight.made("/v1/clients", key, {"company": "Acme"})
    body = {"username": "voix_1002", "client_id": client["id"], "package_id": package["id"]}
    today = periods.calendar("America/Toronto").day_of(int(time.time()))
    flight.made("/v1/subaccounts", key, {**body, "next_billing_date": today})
    # The function ignores the time of the event here: it bills the fee of today.
    due = {**SCHEDULED, "time": "2026-01-01T00:00:00Z"}
    with flight.exchanged("HourlyRole", "sqs:SendMessage", "sqs:SendMessage", "sqs:SendMessageBatch"):
        error, answer = flight.invoke("Hourly", due)
    assert (error, json.loads(answer)["queue"]) == ("", "forfait-dev-hourly")
    path = f"/v1/clients/{client['id']}/ledger"
    (entry,) = until(lambda: flight.call("GET", path, key).json["items"])
    assert (entry["kind"], entry["amount"], entry["usage_month"]) == ("package_monthly", "-9.90", today[:7])
    message = {"messageId": "1", "receiptHandle": "1", "attributes": {"ApproximateReceiveCount": "1"}}
    told = json.dumps({"reseller_id": "nobody", "at": due["time"]})
    assert flight.invoke("BillAndClose", {"Records": [{**message, "body": told, "eventSource": "aws:sqs"}]})[0]


def test_a_large_import_is_applied_by_the_function_of_the_hourly_queue(flight: Aws) -> None:
    """With a number that had a client before, whose version the function's role must be allowed to check."""
    key, number = new_reseller(flight)["api_key"], "+15145550142"
    flight.made("/v1/inventory", flight.operator_key(), {"number": number})
    before = {"client_id": flight.made("/v1/clients", key, {"company": "Before"})["id"]}
    for path, body in (("order", {}), ("assign", before), ("release", {})):
        assert flight.call("POST", f"/v1/dids/{number}/{path}", key, body).status == 200
    package = flight.made("/v1/packages", key, {"name": "Basic"})["id"]
    files = {
        "clients": "ref,company,balance\n" + "".join(f"c{n},Client {n},1.50\n" for n in range(501)),
        "subaccounts": f"username,client,package\nvoix_1003,c500,{package}\n",
        "dids": f"number,client,subaccount\n{number},c500,voix_1003\n",
    }
    with flight.exchanged("ApiHandlerRole", "sqs:SendMessage", "sqs:SendMessage", "sqs:SendMessageBatch"):
        begun = flight.call("POST", "/v1/imports", key, files)
    assert (begun.status, begun.json.get("rows")) == (202, 503), begun
    path = f"/v1/imports/{begun.json['id']}"
    ended = until(lambda: (told := flight.call("GET", path, key).json)["status"] == "done" and told)
    assert ended["done"] == 503
    (one,) = flight.call("GET", "/v1/dids", key).json["items"]
    assert flight.call("GET", f"/v1/clients/{one['client_id']}", key).json["company"] == "Client 500"


def test_a_notice_is_sent_by_the_function_of_every_minute(flight: Aws) -> None:
    """To an address that nobody has: what is tested is that its role may do all that a try takes."""
    key = new_reseller(flight)["api_key"]
    flight.made("/v1/webhooks", key, {"url": "https://hooks.forfait.invalid/hook"})
    client = flight.made("/v1/clients", key, {"balance_mode": "strict"})
    flight.made(f"/v1/clients/{client['id']}/payments", key, {"amount": "5"})
    assert flight.invoke("SendNotices", {**SCHEDULED, "time": "2020-01-01T00:00:00Z"}) == ("", "null")
    (told,) = flight.call("GET", "/v1/deliveries", key).json["items"]
    assert (told["event"], told["status"], told["attempts"]) == ("client.resumed", "pending", 1)
    assert told["last_error"] == "the host's name cannot be resolved"


def test_a_message_of_paypal_is_kept_byte_for_byte_and_asked_for_again_while_paypal_cannot_be_reached(
    flight: Aws,
) -> None:
    """There is no PayPal here, so its word is unclear: 503, and nothing is credited."""
    reseller = new_reseller(flight)
    key, settings = reseller["api_key"], {"email": "shop@voix.example", "amounts": ["25"]}
    told = flight.call("PUT", "/v1/paypal", key, settings)
    assert told.status == 200, told
    client = flight.made("/v1/clients", key, {"company": "Acme", "email": "a@acme.example"})
    deposit = flight.made(f"/v1/clients/{client['id']}/deposits", key, {"amount": "25"})
    assert deposit["action"] == "https://www.paypal.com/cgi-bin/webscr"
    raw = f"txn_id=T1&memo=Zo%E9+%u010D&invoice={deposit['invoice']}&payment_status=Completed".encode()
    door = deposit["fields"]["notify_url"].rpartition("/")[2]
    url = f"{flight.endpoint}/_aws/execute-api/{flight.outputs['RestAPIId']}/api/paypal/ipn/{door}"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    with pytest.raises(urllib.error.HTTPError) as refusal:
        DIRECT.open(urllib.request.Request(url, raw, form), timeout=60)
    assert refusal.value.code == 503
    refusal.value.close()
    [kept] = flight.client("dynamodb").query(
        TableName="forfait-dev",
        KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
        ExpressionAttributeValues={":pk": {"S": f"PP#{reseller['id']}"}, ":sk": {"S": "MSG#"}},
    )["Items"]
    assert kept["raw"]["B"] == raw
    assert kept["outcome"]["S"] == "unclear"
    page = DIRECT.open(f"{url.partition('/paypal')[0]}/pay/{deposit['invoice']}", timeout=60)
    assert (
        "form-action 'self' https://www.paypal.com https://www.sandbox.paypal.com;"
        in page.headers["Content-Security-Policy"]
    )
    assert deposit["invoice"] in page.read().decode()


def test_a_policy_without_an_action_that_the_api_needs_breaks_it(flight: Aws) -> None:
    body = {"name": "Voix", "email": "a@voix.example", "currency": "USD", "home_country": "CA"}
    with flight.exchanged("ApiHandlerRole", "dynamodb:PutItem"):
        reply = flight.call("POST", "/v1/resellers", flight.operator_key(), {**body, "time_zone": "America/Toronto"})
        assert reply.status == 500
    assert new_reseller(flight)


def test_a_policy_without_the_right_to_read_versions_breaks_rating(flight: Aws) -> None:
    reseller = new_reseller(flight)
    where = {"Bucket": flight.outputs["BucketName"], "Key": f"incoming/cdr/{reseller['id']}/calls.csv"}
    with flight.exchanged("RateDroppedFilesRole", "s3:GetObjectVersion"):
        version = flight.client("s3").put_object(**where, Body=CALLS)["VersionId"]
        error, answer = flight.invoke("RateDroppedFiles", message(**where, version=version, receives="5"))
        assert error, answer
        assert "403" in answer or "AccessDenied" in answer
    assert done(flight, reseller["api_key"])["status"] == "failed"
    # The batch was given up by its last try; the operator has it tried again.
    with flight.exchanged("RescanRole", "sqs:SendMessage", "sqs:SendMessage", "sqs:SendMessageBatch"):
        assert flight.invoke("Rescan", RETRY_FAILED) == ("", "null")
    until(lambda: flight.call("GET", "/v1/batches", reseller["api_key"]).json["items"][0]["status"] == "done")
    batch = done(flight, reseller["api_key"])
    assert (batch["status"], batch["lines"], batch["rejected"]) == ("done", 4, 4)


def test_deploying_again_changes_nothing_and_keeps_the_keys(flight: Aws, plain: Path) -> None:
    before, status = flight.operator_key(), flight.stack()["StackStatus"]
    assert status == "CREATE_COMPLETE"
    assert Deployer(flight, poll_seconds=0.1).deploy("dev", plain) == flight.outputs
    assert flight.stack()["StackStatus"] == status
    assert flight.operator_key() == before


def test_the_stack_is_protected_and_its_keys_are_hidden(flight: Aws) -> None:
    stack = flight.stack()
    assert stack["EnableTerminationProtection"] is True
    shown = {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}
    assert flight.operator_key() not in shown.values()
    assert set(shown["OperatorKey"]) == set(shown["SigningKey"]) == {"*"}


def test_nothing_is_deployed_by_way_of_another_accounts_bucket(flight: Aws, plain: Path) -> None:
    """The name of the bucket of artefacts can be guessed, so somebody else may have made it first."""
    deployer = Deployer(flight, poll_seconds=0.1)
    asked: list[Any] = []

    class Theirs:
        def head_bucket(self, **where: str) -> None:
            asked.append(where)
            raise ClientError({"Error": {"Code": "403", "Message": "Forbidden"}}, "HeadBucket")

    deployer._s3 = Theirs()
    with pytest.raises(DeploymentFailed, match="another account's"):
        deployer.deploy("dev", plain)
    account = flight.client("sts").get_caller_identity()["Account"]
    assert asked == [{"Bucket": f"forfait-artifacts-{account}-{REGION}", "ExpectedBucketOwner": account}]


def test_a_deployment_that_cannot_be_says_why(flight: Aws, plain: Path) -> None:
    """The package of one stage under the name of another: its table, bucket and queues are there already."""
    with pytest.raises(DeploymentFailed, match="forfait-twin"):
        Deployer(flight, poll_seconds=0.1).deploy("twin", plain)


def message(*, Bucket: str, Key: str, version: str, receives: str = "1") -> dict[str, Any]:
    told = {"bucket": {"name": Bucket}, "object": {"key": Key, "versionId": version}}
    record = {"messageId": "1", "receiptHandle": "1", "attributes": {"ApproximateReceiveCount": receives}}
    return {"Records": [{**record, "body": json.dumps({"Records": [{"s3": told}]}), "eventSource": "aws:sqs"}]}
