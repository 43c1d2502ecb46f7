"""Applies the records of the journal to a restored snapshot: sets what they say, decides nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from local.files import Files
from local.journal import Effect
from local.recorder import service


class _Same:
    """Equal to everything. A repeat of a transaction's token after a restart is taken for the same transaction."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, _: object) -> bool:
        return True


def replay(records: Iterable[list[Effect]], files: Files) -> None:
    """Apply records, oldest first. The changes of files are not made here: ``Files.redo`` made them before."""
    dynamodb, uploads = service("dynamodb"), service("s3")._multipart_uploads._data
    tables = {table["TableArn"]: table for table in dynamodb._tables.all_values()}
    queues = {queue["attributes"]["QueueArn"]: queue for queue in service("sqs")._queues.all_values()}
    messages = {arn: {each["id"]: each for each in queue["messages"]} for arn, queue in queues.items()}
    for effects in records:
        for kind, *what in effects:
            match kind, what:
                case "item", [arn, pk, sk, item] if arn in tables:
                    if item is None:
                        dynamodb._remove_item(tables[arn], pk, sk)
                    else:
                        dynamodb._set_item(tables[arn], pk, sk, item)
                case "token", [account, region, token, entry]:
                    restore_token(account, region, token, entry)
                case "sent", [arn, message] if arn in messages:
                    messages[arn][message["id"]] = message
                case "state", [arn, message, state] if message in messages.get(arn, ()):
                    messages[arn][message].update(state)
                case "gone", [arn, message] if arn in messages:
                    messages[arn].pop(message, None)
                case "upload", [account, upload, about]:
                    uploads[account, upload] = about
                case "part", [account, upload, number, part] if (account, upload) in uploads:
                    uploads[account, upload]["parts"][number] = part
                case "ended", [account, upload]:
                    uploads.pop((account, upload), None)
    for arn, queue in queues.items():
        queue["messages"] = list(messages[arn].values())
    _load_parts(uploads, files)


def restore_token(account: str, region: str, token: str, entry: dict[str, Any]) -> None:
    """Remember that a transaction with this token was carried out."""
    service("dynamodb")._txn_idempotency.set_scoped(account, region, token, {**entry, "signature": _Same()})


def _load_parts(uploads: dict[Any, Any], files: Files) -> None:
    """Read the bytes of unfinished uploads; a part without a file does not exist."""
    for (_, upload), about in uploads.items():
        found = {number: files.read_part(upload, number) for number in about["parts"]}
        about["parts"] = {
            number: {**about["parts"][number], "body": body} for number, body in found.items() if body is not None
        }
    files.keep_parts_of({upload for _, upload in uploads})
