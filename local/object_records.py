"""Records of objects: their files, the messages that announce them, and the parts of unfinished uploads.

The files of an object hold its bytes, its attributes and its versions, and ministack reads them at its start. So a
record has only the moves of files; see ``files``.
"""

from __future__ import annotations

from typing import Any

from local.queue_records import sending
from local.recorder import Function, Recorder, service, without

_UPLOADS = "create_multipart_upload upload_part upload_part_copy complete_multipart_upload abort_multipart_upload"


def watch_objects(recorder: Recorder) -> None:
    """Record every change of an object, and of an upload in parts."""
    s3, sqs, files = service("s3"), service("sqs"), recorder.files
    dispatch, deliver = s3._dispatch, s3._deliver_event_to_sqs

    def _dispatch(method: str, bucket: str, key: str, *more: Any) -> Any:
        if method not in ("PUT", "POST", "DELETE"):
            return dispatch(method, bucket, key, *more)
        with recorder.record():
            # Of the requests to a bucket, only POST writes objects.
            recorder.unrecorded += not key and method != "POST"
            return dispatch(method, bucket, key, *more)

    def _delete_version_file(bucket: str, key: str, version: str) -> None:
        path = s3._version_disk_path(bucket, key, version)
        if path is not None:
            files.remove(path)

    def _fire_s3_event_async(bucket: str, key: str, event: str, *more: Any, **named: Any) -> None:
        # ministack does it in a thread, perhaps after the answer. Here the message is in the object's own record.
        if bucket in s3._bucket_notifications:
            s3._fire_s3_event(bucket, key, event, *more, sequencer=s3._next_event_sequencer(event), **named)

    def _deliver_event_to_sqs(arn: str, *more: Any, **named: Any) -> None:
        queue = sqs._queue_by_arn(arn)
        if queue is not None:
            sending(recorder, queue, lambda: deliver(arn, *more, **named))

    s3._dispatch, s3._delete_version_file = _dispatch, _delete_version_file
    s3._fire_s3_event_async, s3._deliver_event_to_sqs = _fire_s3_event_async, _deliver_event_to_sqs
    s3._atomic_write, s3._remove_key_files = files.write, files.remove_with_sidecar
    for name in _UPLOADS.split():
        setattr(s3, f"_{name}", _uploading(recorder, getattr(s3, f"_{name}")))


def _uploading(recorder: Recorder, function: Function) -> Function:
    """Of a function that changes unfinished uploads: they are few, so what changed is found by comparing."""
    uploads, files = service("s3")._multipart_uploads._data, recorder.files

    def run(*arguments: Any) -> Any:
        with recorder.record() as effects:
            before = {scope: dict(upload["parts"]) for scope, upload in uploads.items()}
            try:
                return function(*arguments)
            finally:
                for scope in before.keys() - uploads.keys():
                    effects.append(["ended", *scope])
                    for number in before[scope]:
                        files.remove(files.part(scope[1], number))
                for scope, upload in uploads.items():
                    if scope not in before:
                        effects.append(["upload", *scope, {**upload, "parts": {}}])
                    known = before.get(scope, {})
                    for number, part in upload["parts"].items():
                        if part is not known.get(number):
                            files.write(files.part(scope[1], number), part["body"])
                            effects.append(["part", *scope, number, without(part, "body")])

    return run
