"""The emulated AWS alone, in memory: what tests of stores use.

``Emulator`` is a child process, reached over HTTP. ``InProcess`` is the same emulator in a thread of this process:
requests of botocore reach it without HTTP, and those to DynamoDB (nearly all) also without signature and retries, which
took most of botocore's processor time. It is started once per process.

One per test run and ``reset`` between tests, or names of their own per test, cost milliseconds.
"""

from __future__ import annotations

import io
import json
import os
import tempfile
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from local import provision
from local.child import Child, environment
from local.settings import aws_environment


class _Emulated:
    """An emulator at ``endpoint``; ``client("dynamodb")`` is a boto3 client for it."""

    endpoint: str
    client: Callable[[str], provision.Client]

    def environment(self) -> dict[str, str]:
        """The environment in which any AWS client uses this emulator."""
        return aws_environment(self.endpoint)

    def reset(self) -> None:
        """Forget everything."""
        request = urllib.request.Request(f"{self.endpoint}/_ministack/reset", data=b"", method="POST")
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30).close()

    def provision(self, table: str, bucket: str, queue: str) -> Any:
        """The application's table, bucket, queue and sender of letters, without functions."""
        provision.sender(self.client("sesv2"), "notices@forfait.example")
        provision.table(self.client("dynamodb"), table)
        provision.bucket(self.client("s3"), bucket)
        return provision.queue(self.client("sqs"), queue)


class Emulator(_Emulated):
    """The emulator as a child process, a context manager."""

    def __enter__(self) -> Emulator:
        self._folder = tempfile.TemporaryDirectory(prefix="forfait-aws-")
        log = Path(self._folder.name) / "log"
        self._child = Child(["emulator"], environment(), log)

        def look() -> str | None:
            *whole, _ = log.read_text(errors="replace").split("\n")
            found = [json.loads(line)["endpoint"] for line in whole if line.startswith('{"endpoint"')]
            return str(found[0]) if found else None

        self.endpoint = self._child.wait_for(look)
        self.client = provision.client_maker(self.endpoint)
        return self

    def __exit__(self, *_: object) -> None:
        # There is nothing to save.
        self._child.kill()
        self._folder.cleanup()


class InProcess(_Emulated):
    """The emulator in a thread of this process, a context manager.

    AWS clients whose botocore session is made meanwhile reach it without HTTP; other programs, and requests that are
    not botocore's, reach it over HTTP.
    """

    def __enter__(self) -> InProcess:
        from botocore import handlers
        from botocore.useragent import UserAgentString

        from local.aws import Aws, listen

        self._aws = Aws(listen(0))
        self._aws.start()
        self.endpoint = self._aws.endpoint
        self._handlers = [("before-send", self._answer), ("before-call.dynamodb", self._call)]
        # Every session of botocore begins with these.
        handlers.BUILTIN_HANDLERS.extend(self._handlers)
        # botocore composes it again for each call, which takes an eighth of the call's time.
        self._user_agent = UserAgentString.to_string
        UserAgentString.to_string = lambda _: "botocore"
        self.client = provision.client_maker(self.endpoint)
        return self

    def __exit__(self, *_: object) -> None:
        from botocore import handlers
        from botocore.useragent import UserAgentString

        UserAgentString.to_string = self._user_agent
        for each in self._handlers:
            handlers.BUILTIN_HANDLERS.remove(each)
        self._aws.stop()

    def _answer(self, request: Any, **_: Any) -> Any:
        """The answer to a request of botocore, which sends it by HTTP when there is none."""
        if not request.url.startswith(self.endpoint):
            return None
        sent = request.body or b""
        sent = sent if isinstance(sent, (bytes, bytearray, str)) else sent.read()
        sent = sent.encode() if isinstance(sent, str) else bytes(sent)
        return self._response(request.method, request.url, request.headers.items(), sent)

    def _call(self, model: Any, params: dict[str, Any], context: dict[str, Any], **_: Any) -> Any:
        """The answer to a call, and the same as botocore parses it; ``None`` if the call is not to this emulator."""
        from botocore.endpoint import convert_to_response_dict

        if not params["url"].startswith(self.endpoint):
            return None
        # The emulator looks for the region in a signature, and verifies none.
        scope = f"test/20260101/{context['client_region']}/dynamodb/aws4_request"
        headers = {**params["headers"], "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}"}
        response = self._response(params["method"], params["url"], headers.items(), params["body"])
        answer, parser = convert_to_response_dict(response, model), _parser(model.service_model.resolved_protocol)
        parsed = parser.parse(answer, model.output_shape)
        error = model.service_model.shape_for_error_code(parsed.get("Error", {}).get("Code"))
        return response, parsed if error is None else {**parsed, **parser.parse(answer, error)}

    def _response(self, method: str, url: str, headers: Iterable[tuple[str, str | bytes]], body: bytes) -> Any:
        from botocore.awsrequest import AWSResponse

        status, answered, content = self._aws.answer(method, url, headers, body)
        return AWSResponse(url, status, answered, _Raw(content))


@cache
def _parser(protocol: str) -> Any:
    """botocore's parser of answers."""
    from botocore.parsers import create_parser

    return create_parser(protocol)


class _Raw(io.BytesIO):
    """The body of an answer, as botocore reads it from an HTTP connection."""

    def stream(self, amt: int | None = None, decode_content: bool | None = None) -> Iterator[bytes]:
        while chunk := self.read(amt):
            yield chunk


def run() -> None:
    """``python -m local emulator``: serve until standard input ends; prints the endpoint as a line of JSON."""
    from local.aws import Aws, listen

    aws = Aws(listen(0))
    aws.start()
    print(json.dumps({"endpoint": aws.endpoint}), flush=True)
    while os.read(0, 1024):
        pass
