"""Routes of the API: their declarations validate the requests and make the OpenAPI document.

A handler gets a ``Call``. It returns a shape, an object with the attributes of the route's answer, or a ``Text`` (CSV).
Chalice's global request is read in ``_serve`` only.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar, cast

from pydantic import BaseModel, ValidationError

from chalicelib.aws import answers, transactions
from chalicelib.config import settings
from chalicelib.errors import Forbidden, ForfaitError, Invalid, TooLarge, Unauthenticated
from chalicelib.fields import invalid
from chalicelib.framework import Blueprint, Response
from chalicelib.principals import Principal, scopes_of
from chalicelib.web import cursors, forms, problems
from chalicelib.web.json_body import json_object
from chalicelib.web.limits import Limiter
from chalicelib.web.urls import base_url, path_parameters

log = logging.getLogger(__name__)
_B = TypeVar("_B", bound=BaseModel)

MAX_BODY_BYTES = 1 << 20


@dataclass(frozen=True)
class Text:
    """An answer that is not JSON."""

    body: str
    content_type: str
    filename: str = ""


@dataclass(frozen=True)
class Route:
    """One operation of the API.

    roles: roles that may call it; empty if it needs no key.
    summary: one sentence for the OpenAPI document.
    name: name of the handler, ``operationId`` in the document.
    answer: shape of a JSON answer; ``None`` without one.
    status: HTTP status of a good answer.
    body, query: shapes of the request; ``None`` without them.
    serves_pending: whether a reseller that is not active may call it although it changes data.
    text: media type of an answer that is not JSON; blank without one. most_bytes: longest body.
    accepted: whether the work of a good answer goes on after it, so that its status is 202; ``None``: never.
    """

    method: str
    path: str
    roles: tuple[str, ...]
    summary: str
    name: str
    answer: type[BaseModel] | None
    status: int
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    serves_pending: bool = False
    text: str = ""
    most_bytes: int = MAX_BODY_BYTES
    accepted: Callable[[Any], bool] | None = None

    def status_of(self, result: Any) -> int:
        """The HTTP status of a good answer."""
        return 202 if self.accepted and self.accepted(result) else self.status

    @property
    def scopes(self) -> tuple[str, ...]:
        """A key that has scopes needs one of these."""
        return scopes_of(self.method, self.path)


@dataclass(frozen=True)
class Call:
    """A request whose key, role and shapes were checked.

    who: owner of the key.
    scope: who acts, when, and under which Idempotency-Key; services need it to write.
    path: decoded path parameters by name.
    base_url: public address of this deployment, without a slash at the end.
    """

    who: Principal
    scope: transactions.Scope
    path: dict[str, str]
    route: Route
    base_url: str = ""
    _body: BaseModel | None = field(default=None, repr=False)
    _query: BaseModel | None = field(default=None, repr=False)

    def body(self, shape: type[_B]) -> _B:
        """The body; ``shape`` is that of the route and tells the type checker."""
        return cast(_B, self._body)

    def query(self, shape: type[_B]) -> _B:
        """The query string; ``shape`` is that of the route and tells the type checker."""
        return cast(_B, self._query)

    def charge(self, requests: int) -> None:
        """Count this request as so many more against the rate limit of its key; ``TooFast`` above the limit.

        For work that grows with what the request asks for. Call it before the work.
        """
        limiter.take(self.who.key_id or self.who.role, self.scope.now, requests)

    def read_cursor(self, text: str | None) -> Any:
        return cursors.read(text, self._list())

    def write_cursor(self, place: Any) -> str | None:
        return None if place is None else cursors.write(place, self._list())

    def _list(self) -> str:
        """The list that a cursor is valid for: tenant, route, path and filters, but not the size of a page."""
        filters = self._query.model_dump(mode="json", exclude={"limit", "cursor"}) if self._query else {}
        return json.dumps([self.who.tenant, self.route.name, self.path, filters], sort_keys=True)


class Authenticate(Protocol):
    def __call__(self, token: str, now: int) -> Principal | None: ...


Headers = dict[str, str | list[str]]
Handler = Callable[[Call], Any]

ROUTES: list[Route] = []
_authenticators: list[Authenticate] = []
limiter = Limiter(settings.requests_per_minute)


def install(authenticate: Authenticate) -> None:
    """Set the function that finds the owner of a key. ``app.py`` calls it: keys belong to a room above this one."""
    _authenticators[:] = [authenticate]


def route(
    bp: Blueprint, method: str, path: str, *, roles: tuple[str, ...], **options: Any
) -> Callable[[Handler], Handler]:
    """Declare a route; ``options`` are fields of ``Route``. The status is 204 without an answer, POST 201, else 200."""

    def declare(handler: Handler) -> Handler:
        answer = options.pop("answer", None)
        good = 204 if answer is None and "text" not in options else 201 if method == "POST" else 200
        status = options.pop("status", good)
        summary = (handler.__doc__ or handler.__name__).strip().splitlines()[0]
        entry = Route(method, path, roles, summary, handler.__name__, answer, status, **options)
        ROUTES.append(entry)

        def view(**path_values: str) -> Response:
            return _serve(entry, handler, bp.current_request, path_values)

        view.__name__ = handler.__name__
        bp.route(path, methods=[method], content_types=["application/json"], name=handler.__name__)(view)
        return handler

    return declare


def _serve(entry: Route, handler: Handler, request: Any, path_values: dict[str, str]) -> Response:
    try:
        response = _answer(entry, handler, request, path_values)
        return forms.in_requested_format(entry.text, request.query_params, response)
    except ForfaitError as error:
        return problems.from_error(error)
    except Exception:
        log.exception("%s %s failed", entry.method, entry.path)
        return problems.internal_error()


def _answer(entry: Route, handler: Handler, request: Any, path_values: dict[str, str]) -> Response:
    now = int(time.time())
    who = _who(entry, request, now)
    path = path_parameters(path_values)
    raw = request.raw_body or b""
    if len(raw) > entry.most_bytes:
        raise TooLarge(f"The body is over {entry.most_bytes} bytes.")
    query = _query(entry, dict(request.query_params or {}))
    body = _body(entry, raw)
    actor = f"key:{who.key_id}" if who.key_id else who.role
    scope = transactions.Scope(actor=actor, now=now, role=who.role, label=who.label)
    scope.guard = _guard(entry, request, who, path, raw)
    if scope.guard and (stored := _stored(scope.guard, scope.now)):
        return stored
    scope.render = lambda result: _dump(entry, result, secrets=False)
    guard = scope.guard
    try:
        result = handler(Call(who, scope, path, entry, base_url(request), body, query))
        if scope.guard:
            # Only if the handler wrote nothing (it made an upload's URL, for example).
            scope.guard = replace(scope.guard, status=entry.status_of(result))
            transactions.commit(scope, [], result)
    except ForfaitError:
        # A repeat of this request may have been committed in between, and its change (a user name that is taken now)
        # may be the reason of this error. Then its stored answer is the answer to both.
        if guard and (stored := _stored(guard, scope.now)):
            return stored
        raise
    return _render(entry, result)


def _who(entry: Route, request: Any, now: int) -> Principal:
    if not entry.roles:
        return Principal("anyone", "")
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    who = _authenticators[0](token.strip(), now) if scheme.lower() == "bearer" and token.strip() else None
    if who is None:
        raise Unauthenticated("Send Authorization: Bearer <key> with a key that is still in use.")
    limiter.take(who.key_id or who.role, now)
    if who.role not in entry.roles:
        raise Forbidden(f"This takes a key with the role {' or '.join(entry.roles)}; yours is {who.role}.")
    if who.scopes is not None and not set(who.scopes) & set(entry.scopes):
        needed = f"one with the scope {' or '.join(entry.scopes)}" if entry.scopes else "one without scopes"
        raise Forbidden(f"This key is narrowed to {', '.join(who.scopes)}; this takes {needed}.")
    if who.standing != "active" and entry.method != "GET" and not entry.serves_pending:
        raise Forbidden(f"The reseller account is {who.standing}; until it is active this key may only read.")
    return who


def _body(entry: Route, raw: bytes) -> BaseModel | None:
    if entry.body is None:
        return None
    return _read(entry.body, json_object(raw))


def _read(shape: type[BaseModel], value: Any) -> BaseModel:
    """Validate a request. Only here is a ``ValidationError`` a mistake of the caller; anywhere else it is ours."""
    try:
        return shape.model_validate(value)
    except ValidationError as error:
        raise invalid(error) from None


def _query(entry: Route, given: dict[str, str]) -> BaseModel | None:
    if entry.query is not None:
        return _read(entry.query, given)
    if given:
        raise Invalid.field(next(iter(given)), "is not a parameter of this request")
    return None


def _guard(entry: Route, request: Any, who: Principal, path: dict[str, str], raw: bytes) -> answers.Guard | None:
    """The Idempotency-Key of a POST, valid for its tenant, route and path; ``None`` without one."""
    key = request.headers.get("idempotency-key")
    if key is None or entry.method != "POST":
        return None
    if not re.fullmatch(r"[\x21-\x7e]{1,200}", key):
        raise Invalid.field("Idempotency-Key", "must be 1 to 200 visible ASCII characters")
    answer_key = answers.Answer.key(who.tenant, "/".join([entry.name, *path.values()]), key)
    return answers.Guard(answer_key, hashlib.sha256(raw).hexdigest(), entry.status)


def _stored(guard: answers.Guard, now: int) -> Response | None:
    if (stored := answers.replay(guard.key, now)) is None:
        return None
    if stored.fingerprint != guard.fingerprint:
        return problems.problem(409, "Conflict", "This Idempotency-Key was used with another body.")
    return _json(stored.body, stored.status)


def _render(entry: Route, result: Any) -> Response:
    if isinstance(result, Text):
        headers: Headers = {"Content-Type": result.content_type, "Cache-Control": "no-store"}
        if result.filename:
            headers["Content-Disposition"] = f'attachment; filename="{result.filename}"'
        return Response(result.body, headers=headers, status_code=entry.status)
    return _json(_dump(entry, result, secrets=True), entry.status_of(result))


def _dump(entry: Route, result: Any, *, secrets: bool) -> dict[str, Any] | None:
    """The JSON of a result. ``secrets``: whether fields that are shown only once keep their values."""
    if result is None or entry.answer is None:
        return None
    shape = result if isinstance(result, BaseModel) else entry.answer.model_validate(result, from_attributes=True)
    body = shape.model_dump(mode="json", by_alias=True)
    hidden = () if secrets else getattr(entry.answer, "SECRETS", ())
    return {name: None if name in hidden else value for name, value in body.items()}


def _json(body: Any, status: int) -> Response:
    headers: Headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return Response("" if body is None else json.dumps(body), headers=headers, status_code=status)
