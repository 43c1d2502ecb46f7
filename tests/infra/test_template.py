"""The packaged template, number by number: CloudFormation and the emulator both take wrong ones without a word."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from samtranslator.parser import parser as sam_parser
from samtranslator.translator.translator import Translator

from chalicelib.notices import events as sending_events
from chalicelib.notices import hooks
from chalicelib.notices.service import sending
from chalicelib.rating import s3_events
from chalicelib.reports import events
from infra import deploy, package
from local import provision

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = [
    "APIHandler",
    "BillAndClose",
    "Hourly",
    "RateDroppedFiles",
    "Reconcile",
    "Rescan",
    "SendNotices",
    "Sweep",
]
QUEUES = {"Incoming": ("DeadLetters", "RateDroppedFiles"), "HourlyWork": ("HourlyDeadLetters", "BillAndClose")}
"""Each queue with its dead letters and the function that it feeds."""
KEYS = ("pk", "sk", "month_key", "next_billing_date")
TABLE = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${TableName}"

FOLDER = re.compile(r"^\$\{Bucket\.Arn\}/[a-z]+/\*$|:secret:forfait-\$\{Stage\}/[a-z]+/\*$")


@pytest.fixture(scope="module")
def expanded(packaged: Any) -> dict[str, Any]:
    """The template as CloudFormation sees it, with SAM's functions and mappings spelled out."""
    source = json.loads(json.dumps(packaged.template))
    for function in source["Resources"].values():
        if function["Type"] == "AWS::Serverless::Function":
            function["Properties"]["CodeUri"] = {"Bucket": "b", "Key": "k"}
    translator = Translator({}, sam_parser.Parser())
    # Only names of managed policies would be looked up, and there are none.
    found: dict[str, Any] = translator.translate(source, {})
    return found


def of_type(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {name: each for name, each in template["Resources"].items() if each["Type"] == kind}


def test_cfn_lint_finds_nothing(packaged: Any) -> None:
    command = [
        str(Path(sys.executable).with_name("cfn-lint")),
        "--include-checks",
        "W",
        "--",
        str(packaged.template_path),
    ]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, ""), ran.stdout + ran.stderr


@pytest.mark.parametrize("name", QUEUES)
def test_a_message_is_hidden_for_longer_than_the_function_may_run(packaged: Any, name: str) -> None:
    dead_letters, function = QUEUES[name]
    queue, dead = packaged.properties(name), packaged.properties(dead_letters)
    assert packaged.properties(function)["Timeout"] == 900
    assert queue["VisibilityTimeout"] == 960
    assert queue["MessageRetentionPeriod"] == 4 * 86_400
    assert dead["MessageRetentionPeriod"] == 14 * 86_400
    assert queue["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": [dead_letters, "Arn"]},
        "maxReceiveCount": 5,
    }
    parameter = {"Incoming": "QueueName", "HourlyWork": "HourlyQueueName"}[name]
    assert queue["QueueName"] == {"Ref": parameter}
    assert dead["QueueName"] == {"Fn::Sub": f"${{{parameter}}}-dead"}


@pytest.mark.parametrize("name", QUEUES)
def test_the_numbers_are_those_of_the_code_and_of_the_local_stack(packaged: Any, name: str) -> None:
    dead_letters, function = QUEUES[name]
    queue, dead = packaged.properties(name), packaged.properties(dead_letters)
    assert queue["RedrivePolicy"]["maxReceiveCount"] == s3_events.MAX_RECEIVES == provision.MAX_RECEIVES
    assert queue["VisibilityTimeout"] == s3_events.VISIBILITY_SECONDS == provision.VISIBILITY_SECONDS
    assert queue["MessageRetentionPeriod"] == provision.RETENTION_SECONDS
    assert dead["MessageRetentionPeriod"] == provision.DEAD_RETENTION_SECONDS
    assert packaged.properties(function)["Timeout"] == provision.FUNCTION_SECONDS


def test_hourly_work_stops_long_before_its_function_is_ended(packaged: Any) -> None:
    assert packaged.properties("BillAndClose")["Timeout"] > events.WORK_SECONDS + 120


def test_a_try_ends_before_its_function_and_its_function_before_the_lease(packaged: Any) -> None:
    """So that a live try is never taken for a dead one, and no try is cut off in the middle."""
    timeout = packaged.properties("SendNotices")["Timeout"]
    one_try = hooks.CONNECT_SECONDS + hooks.WHOLE_SECONDS
    assert sending_events.WORK_SECONDS + 2 * one_try <= timeout < sending.LEASE_SECONDS


def test_each_queue_feeds_its_function_one_message_at_a_time(expanded: dict[str, Any]) -> None:
    mappings = of_type(expanded, "AWS::Lambda::EventSourceMapping").values()
    found = {each["Properties"]["FunctionName"]["Ref"]: each["Properties"] for each in mappings}
    at_once = {"RateDroppedFiles": ("Incoming", 8), "BillAndClose": ("HourlyWork", 4)}
    assert found == {
        function: {
            "BatchSize": 1,
            "EventSourceArn": {"Fn::Sub": f"${{{queue}.Arn}}"},
            "FunctionName": {"Ref": function},
            "MaximumBatchingWindowInSeconds": 0,
            "ScalingConfig": {"MaximumConcurrency": most},
        }
        for function, (queue, most) in at_once.items()
    }


def test_only_the_function_that_feeds_its_own_queue_may_do_so_more_than_16_times(packaged: Any) -> None:
    """Lambda takes that for a loop and stops it. What a queue's function may send to shows in its policy."""
    feeding = set()
    for queue, (_, function) in QUEUES.items():
        [policy] = packaged.properties(packaged.properties(function)["Role"]["Fn::GetAtt"][0])["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]:
            if "sqs:SendMessage" in statement["Action"] and statement["Resource"] == {"Fn::GetAtt": [queue, "Arn"]}:
                feeding.add(function)
    assert feeding == {"BillAndClose"}
    allowed = {name for name in FUNCTIONS if packaged.properties(name).get("RecursiveLoop") == "Allow"}
    assert allowed == feeding


def test_the_api_has_one_stage(expanded: dict[str, Any], packaged: Any) -> None:
    """Without the version of its definition SAM has the gateway make another one, named Stage."""
    assert packaged.template["Globals"]["Api"]["OpenApiVersion"] == "2.0"
    stages = of_type(expanded, "AWS::ApiGateway::Stage").values()
    assert [each["Properties"]["StageName"] for each in stages] == ["api"]
    for each in of_type(expanded, "AWS::ApiGateway::Deployment").values():
        assert "StageName" not in each["Properties"]


def test_no_function_has_reserved_concurrency(packaged: Any) -> None:
    for name in FUNCTIONS:
        assert "ReservedConcurrentExecutions" not in packaged.properties(name)


def test_functions_have_the_memory_the_time_and_the_disk_they_need(packaged: Any) -> None:
    assert sorted(of_type(packaged.template, "AWS::Serverless::Function")) == FUNCTIONS
    sizes = {
        name: (packaged.properties(name)["MemorySize"], packaged.properties(name)["Timeout"]) for name in FUNCTIONS
    }
    assert sizes == {
        "APIHandler": (1024, 29),
        "BillAndClose": (1769, 900),
        "Hourly": (512, 900),
        "RateDroppedFiles": (3008, 900),
        "Reconcile": (1769, 900),
        "Rescan": (512, 900),
        "Sweep": (512, 900),
        "SendNotices": (512, 120),
    }
    assert packaged.properties("RateDroppedFiles")["EphemeralStorage"] == {"Size": 10240}


def test_functions_know_the_names_of_their_stage(packaged: Any) -> None:
    for name in FUNCTIONS:
        assert packaged.properties(name)["Environment"]["Variables"] == {
            "FORFAIT_STAGE": "dev",
            "FORFAIT_TABLE": "forfait-dev",
            "FORFAIT_BUCKET": {"Ref": "Bucket"},
            "FORFAIT_BUCKET_OWNER": {"Ref": "AWS::AccountId"},
            "FORFAIT_QUEUE": "forfait-dev-incoming",
            "FORFAIT_HOURLY_QUEUE": "forfait-dev-hourly",
            "FORFAIT_MAIL_FROM": "",
            "FORFAIT_CURRENCY": "USD",
            "FORFAIT_SECRET": {"Fn::GetAtt": ["Secret", "Id"]},
        }
    defaults = {name: each.get("Default") for name, each in packaged.template["Parameters"].items()}
    assert {name: defaults[name] for name in package.PARAMETERS} == {
        "Stage": "dev",
        "TableName": "forfait-dev",
        "QueueName": "forfait-dev-incoming",
        "HourlyQueueName": "forfait-dev-hourly",
        "MailFrom": "",
        "SecretName": "forfait-dev",
    }


def test_stages_differ_in_their_names_only() -> None:
    stages = json.loads((ROOT / ".chalice" / "config.json").read_text())["stages"]
    assert {"dev", "prod"} <= set(stages)
    for name, stage in stages.items():
        assert json.loads(json.dumps(stage).replace(f'"{name}"', '"dev"').replace(f"-{name}", "-dev")) == stages["dev"]


def test_the_table_has_the_keys_the_index_and_the_protection(packaged: Any) -> None:
    table = packaged.template["Resources"]["Table"]
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert table["Properties"] == {
        "TableName": {"Fn::Sub": "forfait-${Stage}"},
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": n, "AttributeType": "S"} for n in KEYS],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "month_index",
                "KeySchema": [
                    {"AttributeName": "month_key", "KeyType": "HASH"},
                    {"AttributeName": "sk", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            },
            {
                "IndexName": "due_index",
                "KeySchema": [
                    {"AttributeName": "pk", "KeyType": "HASH"},
                    {"AttributeName": "next_billing_date", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            },
        ],
        "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": True},
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "DeletionProtectionEnabled": True,
    }


def test_the_local_table_has_the_same_indexes(packaged: Any) -> None:
    assert packaged.template["Resources"]["Table"]["Properties"]["GlobalSecondaryIndexes"] == provision.INDEXES


def test_the_bucket_is_versioned_encrypted_and_private(packaged: Any) -> None:
    bucket = packaged.properties("Bucket")
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    [rule] = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    [cors] = bucket["CorsConfiguration"]["CorsRules"]
    assert "PUT" in cors["AllowedMethods"]


def lifetime(rule: dict[str, Any]) -> int:
    """Days that an object lives at most: an expired one becomes a noncurrent version first."""
    return int(rule["ExpirationInDays"] + rule["NoncurrentVersionExpiration"]["NoncurrentDays"])


def test_what_is_dropped_is_gone_after_400_days_and_only_what_conflicted_expires_beside_it(packaged: Any) -> None:
    rules = {rule["Id"]: rule for rule in packaged.properties("Bucket")["LifecycleConfiguration"]["Rules"]}
    assert {rule["Status"] for rule in rules.values()} == {"Enabled"}
    assert not [name for rule in rules.values() for name in rule if "Transition" in name]
    name, other = [name for name, rule in rules.items() if "ExpirationInDays" in rule]
    assert (rules[other]["Prefix"], rules[other]["ExpirationInDays"]) == ("rejected/conflicts/", 400)
    assert (name, rules[name]["Prefix"], lifetime(rules[name])) == ("incoming-after-400-days", "incoming/", 400)
    guide = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    [days] = re.findall(r"^\| dropped files \|.*\| (\d+) days \|$", guide, re.MULTILINE)
    assert int(days) == lifetime(rules[name])


def test_versions_that_were_replaced_are_kept_as_long_as_the_guide_says(packaged: Any) -> None:
    rules = packaged.properties("Bucket")["LifecycleConfiguration"]["Rules"]
    replaced = {
        rule["Prefix"]: rule["NoncurrentVersionExpiration"]["NoncurrentDays"]
        for rule in rules
        if "NoncurrentVersionExpiration" in rule
    }
    assert replaced == {"incoming/": 100, "rated/": 35, "rejected/": 35, "lake/": 7}
    guide = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    said = re.findall(r"^\| `(\w+/)` \|.*\| (\d+) days \|$", guide, re.MULTILINE)
    assert {prefix: int(days) for prefix, days in said} == replaced


def test_uploads_that_were_never_finished_are_removed_under_every_prefix(packaged: Any) -> None:
    rules = packaged.properties("Bucket")["LifecycleConfiguration"]["Rules"]
    (rule,) = [each for each in rules if "AbortIncompleteMultipartUpload" in each]
    assert not {"Prefix", "Filter", "TagFilters"} & set(rule)
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    assert rule["ExpiredObjectDeleteMarker"] is True


@pytest.mark.parametrize("name", ["Bucket", *QUEUES, *(dead for dead, _ in QUEUES.values())])
def test_bucket_and_queues_refuse_requests_without_tls(packaged: Any, name: str) -> None:
    policies = {
        kind: [each["Properties"] for each in of_type(packaged.template, kind).values()]
        for kind in ("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy")
    }
    if name == "Bucket":
        (policy,) = policies["AWS::S3::BucketPolicy"]
        assert policy["Bucket"] == {"Ref": "Bucket"}
        action, resource = "s3:*", [{"Fn::GetAtt": ["Bucket", "Arn"]}, {"Fn::Sub": "${Bucket.Arn}/*"}]
    else:
        # A queue has one policy: of two that name it, the later one would replace the other.
        (policy,) = [each for each in policies["AWS::SQS::QueuePolicy"] if each["Queues"] == [{"Ref": name}]]
        action, resource = "sqs:*", {"Fn::GetAtt": [name, "Arn"]}
    [denial] = [each for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == "Deny"]
    assert denial == {
        "Sid": "OnlyOverTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": resource,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def test_what_is_dropped_under_incoming_is_told_to_the_queue(packaged: Any) -> None:
    [told] = packaged.properties("Bucket")["NotificationConfiguration"]["QueueConfigurations"]
    assert told == {
        "Event": "s3:ObjectCreated:*",
        "Queue": {"Fn::GetAtt": ["Incoming", "Arn"]},
        "Filter": {"S3Key": {"Rules": [{"Name": "prefix", "Value": provision.INCOMING}]}},
    }
    assert packaged.template["Resources"]["Bucket"]["DependsOn"] == "IncomingPolicy"


def test_only_this_bucket_of_this_account_may_write_to_the_queue(packaged: Any) -> None:
    statements = packaged.properties("IncomingPolicy")["PolicyDocument"]["Statement"]
    [statement] = [each for each in statements if each["Effect"] == "Allow"]
    assert statement["Principal"] == {"Service": "s3.amazonaws.com"}
    assert statement["Action"] == "sqs:SendMessage"
    name = packaged.properties("Bucket")["BucketName"]["Fn::Sub"]
    assert statement["Condition"] == {
        "ArnEquals": {"aws:SourceArn": {"Fn::Sub": f"arn:${{AWS::Partition}}:s3:::{name}"}},
        "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
    }


def test_functions_wait_for_the_table_and_for_their_log(packaged: Any) -> None:
    logs = {
        "APIHandler": "ApiLog",
        "BillAndClose": "BillingLog",
        "Hourly": "HourlyLog",
        "RateDroppedFiles": "RatingLog",
        "Reconcile": "ReconcileLog",
        "Rescan": "RescanLog",
        "Sweep": "SweepLog",
        "SendNotices": "NoticesLog",
    }
    for name in FUNCTIONS:
        assert packaged.template["Resources"][name]["DependsOn"] == ["Table"]
        assert packaged.properties(name)["LoggingConfig"] == {"LogGroup": {"Ref": logs[name]}}
        assert packaged.properties(logs[name])["RetentionInDays"] == 90
    assert set(of_type(packaged.template, "AWS::Logs::LogGroup")) == set(logs.values())


def test_schedules_run_as_often_as_they_should_and_tell_of_their_failures(expanded: dict[str, Any]) -> None:
    rules = of_type(expanded, "AWS::Events::Rule").values()
    assert sorted(str(rule["Properties"]["ScheduleExpression"]) for rule in rules) == [
        # At an hour of the day, which rate(1 day) does not have: it counts from the deployment.
        "cron(10 2 * * ? *)",
        "cron(10 4 * * ? *)",
        "cron(10 6 * * ? *)",
        "rate(1 hour)",
        "rate(1 minute)",
    ]
    told = of_type(expanded, "AWS::Lambda::EventInvokeConfig").values()
    assert {each["Properties"]["FunctionName"]["Ref"] for each in told} == {
        "Hourly",
        "Rescan",
        "Reconcile",
        "SendNotices",
        "Sweep",
    }
    for each in told:
        every_minute = each["Properties"]["FunctionName"]["Ref"] == "SendNotices"
        assert each["Properties"]["MaximumRetryAttempts"] == (0 if every_minute else 1)
        assert each["Properties"]["DestinationConfig"] == {"OnFailure": {"Destination": {"Ref": "Alarms"}}}


def test_each_function_has_a_role_of_its_own_without_wildcards(packaged: Any) -> None:
    roles = {packaged.properties(name)["Role"]["Fn::GetAtt"][0] for name in FUNCTIONS}
    assert len(roles) == len(FUNCTIONS)
    for role in roles:
        [policy] = packaged.properties(role)["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]:
            assert statement["Effect"] == "Allow"
            assert not [action for action in statement["Action"] if "*" in action]
            for resource in listed(statement["Resource"]):
                # One stage's own things only: a reference, or a folder of the stage's bucket or of its secrets.
                assert {"Ref", "Fn::GetAtt", "Fn::Sub"} & set(resource)
                named = str(resource.get("Fn::Sub", ""))
                if "ses:SendEmail" in statement["Action"]:
                    # SES knows addresses and domains as identities; which one may send stands in the condition.
                    assert statement["Condition"] == {"StringEquals": {"ses:FromAddress": {"Ref": "MailFrom"}}}
                    named = named.removesuffix("identity/*")
                assert FOLDER.sub("", named).count("*") == 0


def listed(resource: Any) -> list[Any]:
    return resource if isinstance(resource, list) else [resource]


def test_every_function_that_reads_objects_may_list_what_it_reads(packaged: Any) -> None:
    """S3 answers 403, not 404, for an object that is not there, unless the role may list its prefix."""
    for name in FUNCTIONS:
        [policy] = packaged.properties(packaged.properties(name)["Role"]["Fn::GetAtt"][0])["Policies"]
        read, listed_prefixes = set(), set()
        for statement in policy["PolicyDocument"]["Statement"]:
            if {"s3:GetObject", "s3:GetObjectVersion"} & set(statement["Action"]):
                read |= {each["Fn::Sub"].removeprefix("${Bucket.Arn}/") for each in listed(statement["Resource"])}
            if {"s3:ListBucket", "s3:ListBucketVersions"} & set(statement["Action"]):
                assert statement["Resource"] == {"Fn::GetAtt": ["Bucket", "Arn"]}
                listed_prefixes |= set(statement["Condition"]["StringLike"]["s3:prefix"])
        assert read <= listed_prefixes, name
        assert listed_prefixes - read <= {"rated/*", "incoming/*"}, name


def test_nothing_but_the_api_may_read_the_secret_and_only_the_sweep_may_delete_objects(packaged: Any) -> None:
    actions = {
        name: {
            action
            for policy in packaged.properties(packaged.properties(name)["Role"]["Fn::GetAtt"][0])["Policies"]
            for statement in policy["PolicyDocument"]["Statement"]
            for action in statement["Action"]
        }
        for name in FUNCTIONS
    }
    assert [name for name in FUNCTIONS if "secretsmanager:GetSecretValue" in actions[name]] == ["APIHandler"]
    assert [name for name in FUNCTIONS if "secretsmanager:CreateSecret" in actions[name]] == ["APIHandler"]
    assert [name for name in FUNCTIONS if "sns:Publish" in actions[name]] == [
        "Hourly",
        "Reconcile",
        "Rescan",
        "SendNotices",
        "Sweep",
    ]
    assert [name for name in FUNCTIONS if "ses:SendEmail" in actions[name]] == ["SendNotices"]
    everything = set().union(*actions.values())
    assert "dynamodb:Scan" not in everything
    deleting = {(name, each) for name in FUNCTIONS for each in actions[name] if each.startswith("s3:Delete")}
    assert deleting == {("Sweep", "s3:DeleteObject")}
    [statement] = [
        each
        for policy in packaged.properties(packaged.properties("Sweep")["Role"]["Fn::GetAtt"][0])["Policies"]
        for each in policy["PolicyDocument"]["Statement"]
        if "s3:DeleteObject" in each["Action"]
    ]
    assert statement["Resource"] == {"Fn::Sub": "${Bucket.Arn}/rated/*"}
    assert not {"dynamodb:PutItem", "dynamodb:UpdateItem"} & actions["Hourly"]
    assert not [name for name in ("Rescan", "BillAndClose", "Sweep") if "dynamodb:DeleteItem" in actions[name]]


def test_alarms_watch_dead_letters_age_errors_and_throttles(packaged: Any) -> None:
    alarms = of_type(packaged.template, "AWS::CloudWatch::Alarm")
    watched = {
        (each["Properties"]["MetricName"], json.dumps(each["Properties"]["Dimensions"][0]["Value"]))
        for each in alarms.values()
        if "Dimensions" in each["Properties"] and each["Properties"]["Namespace"] != "AWS/ApiGateway"
    }
    assert watched == {
        ("ApproximateNumberOfMessagesVisible", '{"Fn::GetAtt": ["DeadLetters", "QueueName"]}'),
        ("ApproximateAgeOfOldestMessage", '{"Fn::GetAtt": ["Incoming", "QueueName"]}'),
        ("ApproximateNumberOfMessagesVisible", '{"Fn::GetAtt": ["HourlyDeadLetters", "QueueName"]}'),
        ("ApproximateAgeOfOldestMessage", '{"Fn::GetAtt": ["HourlyWork", "QueueName"]}'),
        *(("Errors", f'{{"Ref": "{name}"}}') for name in FUNCTIONS if name != "APIHandler"),
        *(("Throttles", f'{{"Ref": "{name}"}}') for name in ("APIHandler", "RateDroppedFiles")),
    }
    for alarm in alarms.values():
        assert alarm["Properties"]["AlarmActions"] == [{"Ref": "Alarms"}]
        assert alarm["Properties"]["ComparisonOperator"] == "GreaterThanThreshold"
        assert alarm["Properties"]["TreatMissingData"] == "notBreaching"
    assert alarms["DeadLettersAlarm"]["Properties"]["Threshold"] == 0
    assert alarms["HourlyDeadLettersAlarm"]["Properties"]["Threshold"] == 0
    assert alarms["QueueAgeAlarm"]["Properties"]["Threshold"] == 3600
    assert alarms["HourlyAgeAlarm"]["Properties"]["Threshold"] == 7200


def test_the_api_is_watched_at_its_gateway_because_its_errors_are_answers(packaged: Any) -> None:
    of_api = [packaged.properties(name) for name in ("ApiErrorsAlarm", "ApiLatencyAlarm")]
    api = packaged.properties("RestAPI")
    for alarm in of_api:
        assert alarm["Namespace"] == "AWS/ApiGateway"
        assert alarm["Dimensions"] == [
            {"Name": "ApiName", "Value": api["Name"]},
            {"Name": "Stage", "Value": api["StageName"]},
        ]
    errors, latency = of_api
    assert (errors["MetricName"], errors["Statistic"], errors["Threshold"]) == ("5XXError", "Sum", 0)
    assert (latency["MetricName"], latency["ExtendedStatistic"], latency["Threshold"]) == ("Latency", "p99", 5000)
    assert "Statistic" not in latency


def test_what_paypal_does_not_know_and_held_decks_are_counted_by_the_words_that_are_logged(packaged: Any) -> None:
    source = "".join(path.read_text() for path in (ROOT / "chalicelib").rglob("*.py"))
    filters = of_type(packaged.template, "AWS::Logs::MetricFilter")
    assert sorted(filters) == ["DeckHeld", "PaypalInvalid", "PaypalUnclear"]
    for name, each in filters.items():
        words = each["Properties"]["FilterPattern"].strip('"')
        assert f'log.warning("{words}' in source
        assert each["Properties"]["LogGroupName"] == {"Ref": "RatingLog" if name == "DeckHeld" else "ApiLog"}
        [made], alarm = each["Properties"]["MetricTransformations"], packaged.properties(f"{name}Alarm")
        assert (made["MetricName"], made["MetricNamespace"]) == (alarm["MetricName"], alarm["Namespace"])
        assert "Dimensions" not in alarm


def test_every_alarm_has_its_line_in_the_operations_guide(packaged: Any) -> None:
    guide = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `(\w+Alarm)` \|", guide, re.MULTILINE))
    assert named == set(of_type(packaged.template, "AWS::CloudWatch::Alarm"))


def test_the_gateway_answers_problems_itself(expanded: dict[str, Any], packaged: Any) -> None:
    statuses = {}
    for kind, response in packaged.properties("RestAPI")["GatewayResponses"].items():
        assert response["ResponseParameters"] == {"Headers": {"Content-Type": "'application/problem+json'"}}
        problem = json.loads(response["ResponseTemplates"]["application/json"])
        assert list(problem) == ["type", "title", "status", "detail", "errors"]
        assert problem["status"] == response["StatusCode"]
        statuses[kind] = response["StatusCode"]
    assert statuses == {
        "DEFAULT_4XX": 404,
        "MISSING_AUTHENTICATION_TOKEN": 404,
        "RESOURCE_NOT_FOUND": 404,
        "BAD_REQUEST_BODY": 400,
        "BAD_REQUEST_PARAMETERS": 400,
        "UNAUTHORIZED": 401,
        "ACCESS_DENIED": 403,
        "WAF_FILTERED": 403,
        "REQUEST_TOO_LARGE": 413,
        "UNSUPPORTED_MEDIA_TYPE": 415,
        "THROTTLED": 429,
        "QUOTA_EXCEEDED": 429,
        "DEFAULT_5XX": 500,
        "INTEGRATION_FAILURE": 504,
        "INTEGRATION_TIMEOUT": 504,
    }
    body = expanded["Resources"]["RestAPI"]["Properties"]["Body"]
    assert set(body["x-amazon-apigateway-gateway-responses"]) == set(statuses)


def test_only_forms_are_binary(expanded: dict[str, Any], packaged: Any) -> None:
    forms = ["application/x-www-form-urlencoded", "multipart/form-data"]
    api = packaged.properties("RestAPI")
    assert [kind.replace("~1", "/") for kind in api["BinaryMediaTypes"]] == forms
    assert api["DefinitionBody"]["x-amazon-apigateway-binary-media-types"] == forms
    assert api["EndpointConfiguration"] == "REGIONAL"


def test_the_keys_are_made_once_and_never_shown(packaged: Any) -> None:
    secret = packaged.properties("Secret")["SecretString"]["Fn::Sub"]
    assert json.loads(secret) == {"operator_key": "${OperatorKey}", "signing_key": "${SigningKey}"}
    for name in ("OperatorKey", "SigningKey"):
        parameter = packaged.template["Parameters"][name]
        assert parameter["NoEcho"] is True
        assert "Default" not in parameter
    first = {each["ParameterKey"]: each["ParameterValue"] for each in deploy.parameters(True, "")}
    assert min(len(first[name]) for name in ("OperatorKey", "SigningKey")) >= 40
    assert first["OperatorKey"] != first["SigningKey"]
    later = {each["ParameterKey"]: each.get("UsePreviousValue") for each in deploy.parameters(False, "")}
    assert later == {"OperatorKey": True, "SigningKey": True, "AlarmEmail": True}


def test_who_is_told_of_alarms_can_be_changed() -> None:
    told = deploy.parameters(False, "ops@voix.example")
    assert {"ParameterKey": "AlarmEmail", "ParameterValue": "ops@voix.example"} in told
    assert [each["ParameterKey"] for each in told].count("AlarmEmail") == 1


def test_what_is_kept_outlives_the_stack(packaged: Any) -> None:
    for name in ("Table", "Bucket", "Secret"):
        assert packaged.template["Resources"][name]["DeletionPolicy"].startswith("Retain")
        assert packaged.template["Resources"][name]["UpdateReplacePolicy"] == "Retain"


def test_functions_are_told_of_the_same_zip_by_its_content(packaged: Any) -> None:
    assert {packaged.properties(name)["CodeUri"] for name in FUNCTIONS} == {packaged.archive.name}
    assert re.fullmatch(r"forfait-[0-9a-f]{16}\.zip", packaged.archive.name)
