"""Records of queues: messages that come, go, or are received.

A message that an event function works on counts as tried when the function ends. Its receipt is not in the journal, so
a stack that ends meanwhile takes no try from it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from local.journal import Effect
from local.recorder import Function, Recorder, service

_SETTINGS = """
CreateQueue DeleteQueue SetQueueAttributes AddPermission RemovePermission PurgeQueue TagQueue UntagQueue
"""
_STATE = ("receipt_handle", "visible_at", "receive_count", "first_receive_at")


def watch_queues(recorder: Recorder, stopping: Callable[[], bool]) -> None:
    """Record every change of a message.

    ``stopping`` says whether functions that fail from now on fail only because the stack stops.
    """
    sqs, functions = service("sqs"), service("lambda_svc")
    watch = _Queues(recorder, stopping)
    sqs._queues_lock = recorder.lock
    handlers = sqs._HANDLERS
    for name in ("SendMessage", "SendMessageBatch"):
        handlers[name] = watch.adding(handlers[name])
    for name in ("DeleteMessage", "DeleteMessageBatch"):
        handlers[name] = watch.removing(handlers[name])
    for name in ("ChangeMessageVisibility", "ChangeMessageVisibilityBatch"):
        handlers[name] = watch.showing(handlers[name])
    for name in _SETTINGS.split():
        handlers[name] = recorder.without_record(handlers[name])
    sqs._collect_msgs = watch.receiving(sqs._collect_msgs)
    sqs._dlq_sweep = watch.burying(sqs._dlq_sweep)
    sqs._receive_messages_for_esm = watch.polling(sqs._receive_messages_for_esm)
    delete = sqs._delete_messages_for_esm
    delete_recorded = watch.removing(lambda data, url: delete(url, data["handles"]))
    sqs._delete_messages_for_esm = lambda url, handles: delete_recorded({"handles": handles}, url)
    functions._run_sqs_batch = watch.trying(functions._run_sqs_batch)


def sending(recorder: Recorder, queue: Any, send: Callable[[], Any]) -> Any:
    """What ``send`` returns; messages that it appends to ``queue`` are recorded."""
    with recorder.record() as effects:
        before = len(queue["messages"])
        try:
            return send()
        finally:
            effects += [["sent", _arn(queue), message] for message in queue["messages"][before:]]


class _Queues:
    """Makes ministack's functions record what they change. Actions are called with their data and a queue's URL."""

    def __init__(self, recorder: Recorder, stopping: Callable[[], bool]) -> None:
        self._recorder, self._stopping, self._sqs = recorder, stopping, service("sqs")
        self._polls = False

    def _queue(self, data: dict[str, Any], url: str) -> Any:
        return self._sqs._get_q(data.get("QueueUrl", url))

    def adding(self, action: Function) -> Function:
        """Of an action that sends messages."""
        return lambda data, url: sending(self._recorder, self._queue(data, url), lambda: action(data, url))

    def removing(self, action: Function) -> Function:
        """Of an action that deletes messages."""

        def run(data: dict[str, Any], url: str) -> Any:
            with self._recorder.record() as effects:
                queue = self._queue(data, url)
                before = list(queue["messages"])
                try:
                    return action(data, url)
                finally:
                    effects += self._gone(queue, _missing(before, queue))

        return run

    def showing(self, action: Function) -> Function:
        """Of an action that changes when messages become visible."""

        def run(data: dict[str, Any], url: str) -> Any:
            with self._recorder.record() as effects:
                answer = action(data, url)
                queue = self._queue(data, url)
                handles = {each.get("ReceiptHandle") for each in data.get("Entries", [data])}
                effects += [_state(queue, each) for each in queue["messages"] if each["receipt_handle"] in handles]
                return answer

        return run

    def receiving(self, collect: Function) -> Function:
        """Of the function that hands out messages, to clients and to event functions."""

        def run(queue: Any, most: int, seconds: int) -> Any:
            with self._recorder.record() as effects:
                messages = collect(queue, most, seconds)
                if self._polls:
                    self._recorder.in_flight |= {message["id"] for message in messages}
                else:
                    effects += [_state(queue, message) for message in messages]
                return messages

        return run

    def polling(self, receive: Function) -> Function:
        """Of the function that takes messages for an event function."""

        def run(url: str, most: int) -> Any:
            with self._recorder.record():
                self._polls = True
                try:
                    return receive(url, most)
                finally:
                    self._polls = False

        return run

    def burying(self, sweep: Function) -> Function:
        """Of the function that moves messages that were tried too often to the queue of dead ones."""

        def run(queue: Any) -> None:
            with self._recorder.record() as effects:
                before = list(queue["messages"])
                sweep(queue)
                if moved := _missing(before, queue):
                    policy = json.loads(queue["attributes"]["RedrivePolicy"])
                    dead = self._sqs._queue_by_arn(policy["deadLetterTargetArn"])
                    effects += self._gone(queue, moved)
                    effects += [["sent", _arn(dead), each] for each in dead["messages"] if each["id"] in moved]

        return run

    def trying(self, run_batch: Function) -> Function:
        """Of the function that invokes an event function: messages that are left after it have had a try."""

        def run(mapping: Any, function: Any, event: Any, batch: list[Any], url: str, name: str) -> None:
            try:
                run_batch(mapping, function, event, batch, url, name)
            finally:
                with self._recorder.record() as effects:
                    left = self._recorder.in_flight & {message["id"] for message in batch}
                    if not self._stopping():
                        self._recorder.in_flight -= left
                        queue = self._queue({}, url)
                        effects += [_state(queue, each) for each in queue["messages"] if each["id"] in left]

        return run

    def _gone(self, queue: Any, messages: set[str]) -> list[Effect]:
        self._recorder.in_flight -= messages
        return [["gone", _arn(queue), each] for each in messages]


def _arn(queue: Any) -> str:
    return str(queue["attributes"]["QueueArn"])


def _missing(before: list[Any], queue: Any) -> set[str]:
    """The ids of the messages that ``queue`` had before and has no more."""
    if len(before) == len(queue["messages"]):
        return set()
    return {message["id"] for message in before} - {message["id"] for message in queue["messages"]}


def _state(queue: Any, message: Any) -> Effect:
    return ["state", _arn(queue), message["id"], {name: message[name] for name in _STATE}]
