"""The emulator in this process answers as it does over HTTP, by shortcuts that change no answer."""

from __future__ import annotations

import copy
import os
from collections import defaultdict
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.handlers import BUILTIN_HANDLERS
from botocore.session import get_session

from local import quick_dynamodb

TABLE = os.environ["FORFAIT_TABLE"]


def without_metadata(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer and its status, without the number and the time of the request."""
    return {**answer, "ResponseMetadata": answer["ResponseMetadata"]["HTTPStatusCode"]}


def answers(client: Any) -> list[dict[str, Any]]:
    """What DynamoDB answers to reads and writes that succeed, that fail on a condition, and that are wrong."""
    key = {"pk": {"S": "of-the-emulator"}, "sk": {"S": "é"}}
    item = {**key, "n": {"N": "1"}, "data": {"B": b"\x00\xff"}, "deep": {"L": [{"M": {"a": {"S": "b"}}}]}}
    put = {"TableName": TABLE, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}
    add = {"Key": key, "UpdateExpression": "ADD n :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
    calls: list[tuple[str, dict[str, Any]]] = [
        ("put_item", put),
        ("put_item", put),
        ("update_item", {"TableName": TABLE, "ReturnValues": "ALL_NEW", **add}),
        ("transact_write_items", {"TransactItems": [{"Put": put}]}),
        ("get_item", {"TableName": TABLE, "Key": key}),
        ("get_item", {"TableName": TABLE, "Key": {"pk": {"S": ""}}}),
        ("get_item", {"TableName": "none-of-ours", "Key": key}),
        ("delete_item", {"TableName": TABLE, "Key": key}),
    ]
    found: list[dict[str, Any]] = []
    for name, arguments in calls:
        try:
            answer = getattr(client, name)(**arguments)
        except ClientError as refused:
            answer = {**refused.response, "raised": type(refused).__name__}
        found.append(without_metadata(answer))
    return found


def test_dynamodb_answers_in_this_process_as_over_http(aws: str) -> None:
    quick, over_http = (get_session().create_client("dynamodb", endpoint_url=aws) for _ in range(2))
    handlers = [("before-send", "_answer"), ("before-call.dynamodb", "_call")]
    for event, name in handlers:
        (handler,) = [one[1] for one in BUILTIN_HANDLERS if one[0] == event and getattr(one[1], "__name__", "") == name]
        over_http.meta.events.unregister(event, handler)
    said = answers(quick)
    assert said == answers(over_http)
    assert [each["ResponseMetadata"] for each in said] == [200, 400, 200, 400, 200, 400, 400, 200]
    assert said[3]["CancellationReasons"][0]["Code"] == "ConditionalCheckFailed"


@pytest.mark.parametrize("value", [{"a": {"S": "x"}, "b": {"L": [{"N": "1"}, {"B": b"\x00"}]}}, [], "x", None])
def test_a_copied_item_is_equal_and_its_own(value: Any) -> None:
    made = quick_dynamodb.copied(value)
    assert made == value
    if isinstance(value, dict):
        made["b"]["L"][0]["N"] = "2"
        assert value["b"]["L"][0]["N"] == "1"


def test_other_mappings_are_copied_as_the_standard_library_copies_them() -> None:
    value = {"items": defaultdict(dict, {"pk": {"sk": {"n": {"N": "1"}}}})}
    made = quick_dynamodb.copied(value)
    assert made == copy.deepcopy(value) and made["items"]["new"] == {}
    assert "new" not in value["items"]
