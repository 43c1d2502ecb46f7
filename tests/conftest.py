"""Fixtures: one real local AWS for the whole session, and the API called in-process through Chalice's gateway.

Nothing is reset between tests: each makes its own reseller, and a tenant sees only its own.
"""

from __future__ import annotations

import json
import os
import socket
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import examples
import pytest
from pure import pytest_collection_modifyitems, pytest_runtest_protocol  # noqa: F401  (hooks)

examples.load()

OPERATOR_KEY = "fo_operator-key-of-the-tests-0123456789abcdefghi"
ROOT = Path(__file__).parent.parent

# PayPal's stand-in listens here; its address is a setting, so the port is taken before settings are read.
_PAYPAL = socket.socket()
_PAYPAL.bind(("127.0.0.1", 0))
_PAYPAL.listen(128)

# Read at import by chalicelib.config, so it stands before anything of the product is imported.
os.environ.update(
    FORFAIT_STAGE="local",
    FORFAIT_TABLE=f"forfait-test-{uuid.uuid4().hex[:8]}",
    FORFAIT_BUCKET=f"forfait-test-{uuid.uuid4().hex[:8]}",
    FORFAIT_QUEUE="forfait-test-incoming",
    FORFAIT_MAIL_FROM="notices@forfait.example",
    FORFAIT_HOURLY_QUEUE="forfait-test-hourly",
    FORFAIT_OPERATOR_KEY=OPERATOR_KEY,
    FORFAIT_SIGNING_KEY="signing-key-of-the-tests",
    FORFAIT_MAX_UNPACKED_BYTES=str(64 << 20),
    FORFAIT_PAYPAL_LOCAL_URL=f"http://127.0.0.1:{_PAYPAL.getsockname()[1]}",
    FORFAIT_REQUESTS_PER_MINUTE="1000000",
    AWS_ACCESS_KEY_ID="test",
    AWS_SECRET_ACCESS_KEY="test",
    AWS_DEFAULT_REGION="us-east-1",
    AWS_REGION="us-east-1",
    AWS_EC2_METADATA_DISABLED="true",
)


def pytest_sessionfinish() -> None:
    _PAYPAL.close()


@pytest.fixture(scope="session")
def aws() -> Iterator[str]:
    """The emulator's endpoint, with the table and the bucket made."""
    from local.emulator import InProcess

    with InProcess() as emulator:
        os.environ.update(emulator.environment())
        emulator.provision(os.environ["FORFAIT_TABLE"], os.environ["FORFAIT_BUCKET"], os.environ["FORFAIT_QUEUE"])
        yield emulator.endpoint


@dataclass
class Reply:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Api:
    """The API with one key: ``api.post("/v1/clients", {...})``."""

    gateway: Any
    key: str = ""
    ids: dict[str, str] = field(default_factory=dict)

    def send(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Reply:
        sent = {"accept": "*/*", **({"authorization": f"Bearer {self.key}"} if self.key else {}), **(headers or {})}
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        if raw and "content-type" not in sent:
            sent["content-type"] = "application/json"
        sent["content-length"] = str(len(raw))
        answer = self.gateway.handle_request(method, path, sent, raw)
        text = answer["body"].decode() if isinstance(answer["body"], bytes) else answer["body"]
        return Reply(answer["statusCode"], answer["headers"], text)

    def get(self, path: str, **more: Any) -> Reply:
        return self.send("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Reply:
        return self.send("POST", path, body, **more)

    def put(self, path: str, body: Any = None, **more: Any) -> Reply:
        return self.send("PUT", path, body, **more)

    def patch(self, path: str, body: Any = None, **more: Any) -> Reply:
        return self.send("PATCH", path, body, **more)

    def delete(self, path: str, **more: Any) -> Reply:
        return self.send("DELETE", path, **more)

    def made(self, path: str, body: Any) -> dict[str, Any]:
        """Create, demand 201, return the answer."""
        reply = self.post(path, body)
        assert reply.status == 201, reply.text
        return dict(reply.json)

    def with_key(self, key: str) -> Api:
        return Api(self.gateway, key)


@pytest.fixture(scope="session")
def standin() -> Iterator[Any]:
    """PayPal, as far as the product can see."""
    from local.paypal.server import StandIn

    paypal = StandIn(_PAYPAL)
    paypal.start()
    yield paypal
    paypal.stop()


@pytest.fixture(scope="session")
def gateway(aws: str, standin: Any) -> Any:
    """The app behind Chalice's own local gateway."""
    from chalice.config import Config
    from chalice.local import LocalChalice, LocalGateway

    from app import app

    # Chalice keeps the current request on the application: this class makes that one per thread.
    app.__class__ = LocalChalice
    return LocalGateway(app, Config.create(chalice_stage="local", chalice_app=app, lambda_timeout=30))


@pytest.fixture(scope="session")
def operator(gateway: Any) -> Api:
    return Api(gateway, OPERATOR_KEY)


@pytest.fixture
def reseller(operator: Api) -> Api:
    """A fresh, active reseller; its id is in ``ids["reseller"]``."""
    body = {"name": "Voix", "email": "a@voix.example", "currency": "USD"}
    made = operator.made("/v1/resellers", {**body, "time_zone": "America/Toronto", "home_country": "CA"})
    return Api(operator.gateway, made["api_key"], {"reseller": made["id"]})
