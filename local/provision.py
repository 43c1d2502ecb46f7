"""What exists in the emulated AWS: the one description, carried out at every start.

A step does nothing when its resource exists already: tables, buckets and queues survive a restart. The same things in
the real AWS are described by ``infra``; a difference in keys, indexes or prefixes would be an error here.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import boto3
from botocore.exceptions import ClientError

from local.events import EventFunction
from local.settings import ACCOUNT, REGION

INCOMING = "incoming/"
"""Objects under this prefix are announced on the queue."""
VISIBILITY_SECONDS, RETENTION_SECONDS, DEAD_RETENTION_SECONDS, MAX_RECEIVES = 960, 4 * 86_400, 14 * 86_400, 5
FUNCTION_SECONDS = 900
_EMPTY_ZIP = b"PK\x05\x06" + b"\0" * 18

Client = Any
"""A boto3 client."""


def _keys(hash_key: str, range_key: str) -> list[dict[str, str]]:
    return [{"AttributeName": hash_key, "KeyType": "HASH"}, {"AttributeName": range_key, "KeyType": "RANGE"}]


INDEXES: list[dict[str, Any]] = [
    {"IndexName": "month_index", "KeySchema": _keys("month_key", "sk"), "Projection": {"ProjectionType": "ALL"}},
    {
        "IndexName": "due_index",
        "KeySchema": _keys("pk", "next_billing_date"),
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    },
]


def table(dynamodb: Client, name: str) -> None:
    """The one table, its indexes and its time to live; a table of an older state gets the index it lacks."""
    definitions = [{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk", "month_key", "next_billing_date")]
    if name not in dynamodb.list_tables()["TableNames"]:
        dynamodb.create_table(
            TableName=name,
            AttributeDefinitions=definitions,
            KeySchema=_keys("pk", "sk"),
            GlobalSecondaryIndexes=INDEXES,
            BillingMode="PAY_PER_REQUEST",
        )
        dynamodb.update_time_to_live(
            TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"}
        )
    there = {each["IndexName"] for each in dynamodb.describe_table(TableName=name)["Table"]["GlobalSecondaryIndexes"]}
    for index in INDEXES:
        if index["IndexName"] not in there:
            dynamodb.update_table(
                TableName=name,
                AttributeDefinitions=definitions,
                GlobalSecondaryIndexUpdates=[{"Create": index}],
            )


def bucket(s3: Client, name: str) -> None:
    """The versioned bucket; browsers may use presigned URLs of it."""
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_cors(
        Bucket=name,
        CORSConfiguration={
            "CORSRules": [
                {
                    "AllowedOrigins": ["*"],
                    "AllowedMethods": ["GET", "HEAD", "PUT"],
                    "AllowedHeaders": ["*"],
                    "ExposeHeaders": ["ETag"],
                }
            ]
        },
    )


def queue(sqs: Client, name: str) -> str:
    """A queue with its dead letters beside it (``<name>-dead``); returns the queue's ARN."""
    dead_arn = _queue(sqs, f"{name}-dead", {"MessageRetentionPeriod": str(DEAD_RETENTION_SECONDS)})
    return _queue(
        sqs,
        name,
        {
            "VisibilityTimeout": str(VISIBILITY_SECONDS),
            "MessageRetentionPeriod": str(RETENTION_SECONDS),
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": MAX_RECEIVES}),
        },
    )


def _queue(sqs: Client, name: str, attributes: dict[str, str]) -> str:
    try:
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    except ClientError:
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    return str(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"])


def notification(s3: Client, bucket_name: str, queue_arn: str) -> None:
    """New objects under ``incoming/`` are announced on the queue."""
    notification = {
        "Id": "incoming",
        "QueueArn": queue_arn,
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": INCOMING}]}},
    }
    # Setting it again would send another test event to the queue, as AWS does.
    set_now = s3.get_bucket_notification_configuration(Bucket=bucket_name).get("QueueConfigurations", [])
    if [each.get("QueueArn") for each in set_now] != [queue_arn]:
        s3.put_bucket_notification_configuration(
            Bucket=bucket_name, NotificationConfiguration={"QueueConfigurations": [notification]}
        )


def sender(ses: Client, address: str) -> None:
    """The sender address of e-mails, verified as SES requires; the state of SES is lost at a restart."""
    with contextlib.suppress(ses.exceptions.AlreadyExistsException):
        ses.create_email_identity(EmailIdentity=address.rpartition("@")[2])


def function(clients: Callable[[str], Client], event_function: EventFunction, invoke_url: str) -> None:
    """An event function whose code is the working tree: ministack forwards every invocation to ``invoke_url``."""
    arn = clients("lambda").create_function(
        FunctionName=event_function.name,
        Runtime="python3.12",
        Role=f"arn:aws:iam::{ACCOUNT}:role/local",
        Handler=event_function.handler,
        Timeout=FUNCTION_SECONDS,
        Code={"ZipFile": _EMPTY_ZIP},
        Environment={"Variables": {"MINISTACK_LAMBDA_PROXY_URL": invoke_url + event_function.name}},
    )["FunctionArn"]
    if event_function.queue:
        clients("lambda").create_event_source_mapping(
            FunctionName=event_function.name,
            EventSourceArn=queue(clients("sqs"), event_function.queue),
            BatchSize=event_function.batch_size,
            ScalingConfig={"MaximumConcurrency": event_function.concurrency},
        )
    if event_function.schedule:
        clients("events").put_rule(Name=event_function.name, ScheduleExpression=event_function.schedule)
        clients("events").put_targets(Rule=event_function.name, Targets=[{"Id": "function", "Arn": arn}])


def stack(endpoint: str, names: dict[str, str], functions: list[EventFunction], invoke_url: str) -> None:
    """Everything. ``names`` is the application's environment."""
    clients = client_maker(endpoint)
    table(clients("dynamodb"), names["FORFAIT_TABLE"])
    bucket(clients("s3"), names["FORFAIT_BUCKET"])
    queue_arn = queue(clients("sqs"), names["FORFAIT_QUEUE"])
    notification(clients("s3"), names["FORFAIT_BUCKET"], queue_arn)
    if names["FORFAIT_MAIL_FROM"]:
        sender(clients("sesv2"), names["FORFAIT_MAIL_FROM"])
    for each in functions:
        function(clients, each, invoke_url)


def client_maker(endpoint: str) -> Callable[[str], Client]:
    """A function from a service's name to a boto3 client for it at ``endpoint``, made once."""
    session = boto3.session.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
    made: dict[str, Client] = {}

    def client(service: str) -> Client:
        if service not in made:
            made[service] = session.client(service, endpoint_url=endpoint)
        return made[service]

    return client
