"""The OpenAPI document as an HTML page for people, without scripts.

The Content-Security-Policy allows nothing but the inline style sheet, by its hash. Each operation is a ``details``
element, which browsers open by keyboard and when a search finds a text in it. Anchors are inside the element, because a
browser opens it when a link leads to an anchor in it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from chalicelib.web import openapi

_STYLE = Path(__file__).with_name("docs.css").read_text(encoding="utf-8")
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS: dict[str, str | list[str]] = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_INTRODUCTION = """
<p>Send <code>Authorization: Bearer &lt;key&gt;</code>. Bodies and answers are JSON. Amounts and rates are strings, such
as <code>"0.012"</code>; a JSON number where money is due is refused. Instants are UTC, such as
<code>2026-11-23T08:30:00Z</code>.</p>
<dl>
<dt>Errors</dt><dd><code>application/problem+json</code> with <code>title</code>, <code>status</code>,
<code>detail</code> and <code>errors</code>, which names each field that is wrong.</dd>
<dt>Lists</dt><dd><code>items</code> and <code>next</code>. Send <code>next</code> as <code>cursor</code> for the next
page; it is null on the last one.</dd>
<dt>Sent again</dt><dd>A POST with the same <code>Idempotency-Key</code> and body acts once and answers the same, for
seven days.</dd>
<dt>Too fast</dt><dd>429; <code>Retry-After</code> says in how many seconds to try again.</dd>
</dl>
<p>In the examples <code>URL</code> is the address of this deployment and <code>KEY</code> your key.</p>
<p>For programs: <a href="v1/openapi.json">the OpenAPI 3.1 document</a>, which this page is made from.</p>
"""


@lru_cache(maxsize=1)
def page() -> str:
    """The page as HTML; made once per container."""
    document = openapi.document()
    areas: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            areas.setdefault(operation["tags"][0], []).append((method, path, operation))
    ordered = {name: sorted(areas[name], key=lambda operation: operation[1]) for name in sorted(areas)}
    schemas = document["components"]["schemas"]
    sections = [_area(name, operations, document) for name, operations in ordered.items()]
    title = f"{escape(document['info']['title'])} API"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head><body>'
        '<a class="skip" href="#main">To the text</a><div class="page">'
        f'{_menu(ordered)}<main id="main" tabindex="-1"><h1>{title}</h1>'
        f"<p>{escape(document['info']['description'])}</p>{_INTRODUCTION}{''.join(sections)}"
        f'<section aria-labelledby="shapes"><h2 id="shapes">Shapes</h2>{_shapes(schemas)}</section>'
        "</main></div></body></html>\n"
    )


def _menu(areas: dict[str, list[tuple[str, str, dict[str, Any]]]]) -> str:
    parts = []
    for name, operations in areas.items():
        items = "".join(
            f'<li><a href="#{_anchor(operation)}"><span class="{method}">{method.upper()}</span> '
            f"{escape(path.removeprefix('/v1'))}</a></li>"
            for method, path, operation in operations
        )
        parts.append(f'<h2><a href="#area-{escape(name)}">{escape(name)}</a></h2><ul>{items}</ul>')
    shapes = '<h2><a href="#shapes">Shapes</a></h2>'
    return f'<nav aria-label="Operations">{"".join(parts)}{shapes}</nav>'


def _anchor(operation: dict[str, Any]) -> str:
    return f"op-{escape(operation['operationId'])}"


def _area(name: str, operations: list[tuple[str, str, dict[str, Any]]], document: dict[str, Any]) -> str:
    inside = "".join(_operation(method, path, operation, document) for method, path, operation in operations)
    name = escape(name)
    return f'<section aria-labelledby="area-{name}"><h2 id="area-{name}">{name}</h2>{inside}</section>'


def _operation(method: str, path: str, operation: dict[str, Any], document: dict[str, Any]) -> str:
    body = operation.get("requestBody")
    schema = body["content"]["application/json"]["schema"] if body else None
    return (
        f'<details><summary><h3><span class="method {method}">{method.upper()}</span> '
        f'<code class="path">{escape(path)}</code></h3>'
        f'<span class="says">{_prose(operation["summary"])}</span></summary>'
        f'<div class="inside" id="{_anchor(operation)}">{_keys(operation)}{_parameters(operation["parameters"])}'
        f"{_body(schema, document) if schema else ''}{_answers(operation['responses'])}"
        f"<h4>Example</h4><pre><code>{escape(_curl(method, path, operation, document))}</code></pre>"
        f"{_shown_answer(operation['responses'], document)}</div></details>"
    )


def _keys(operation: dict[str, Any]) -> str:
    if not operation["x-roles"]:
        return "<p>No key is needed.</p>"
    scopes = _codes(operation["x-scopes"]) or '<span class="faint">none: only keys without scopes</span>'
    return f"<dl><dt>Roles</dt><dd>{_codes(operation['x-roles'])}</dd><dt>Scopes</dt><dd>{scopes}</dd></dl>"


def _codes(texts: Iterable[str]) -> str:
    return ", ".join(f"<code>{escape(text)}</code>" for text in texts)


def _parameters(parameters: list[dict[str, Any]]) -> str:
    rows = [
        (
            parameter["name"],
            f"{_kind(parameter['schema'])} <span class='faint'>({parameter['in']})</span>",
            parameter["required"],
            parameter["schema"],
        )
        for parameter in parameters
    ]
    return f"<h4>Parameters</h4>{_table(rows)}" if rows else ""


def _body(schema: dict[str, Any], document: dict[str, Any]) -> str:
    name = schema["$ref"].rpartition("/")[2]
    shape = document["components"]["schemas"][name]
    return f"<h4>Body: {_link(name)}</h4>{_paragraph(shape)}{_fields(shape)}"


def _answers(responses: dict[str, Any]) -> str:
    rows = []
    for status, answer in responses.items():
        kinds = [
            _kind(content["schema"]) if "json" in media else f"<code>{escape(media)}</code>"
            for media, content in answer.get("content", {}).items()
        ]
        rows.append(
            f'<tr><th scope="row">{status}</th><td>{_prose(answer["description"])}</td><td>{", ".join(kinds)}</td></tr>'
        )
    head = '<thead><tr><th scope="col">Status</th><th scope="col">When</th><th scope="col">Body</th></tr></thead>'
    return f'<h4>Answers</h4><div class="wide"><table>{head}<tbody>{"".join(rows)}</tbody></table></div>'


def _shapes(schemas: dict[str, Any]) -> str:
    return "".join(
        f'<details><summary><h3><code class="path">{escape(name)}</code></h3></summary>'
        f'<div class="inside" id="shape-{escape(name)}">{_paragraph(schema)}{_fields(schema)}</div></details>'
        for name, schema in sorted(schemas.items())
    )


def _paragraph(schema: dict[str, Any]) -> str:
    text = schema.get("description", "")
    return f"<p>{_prose(text)}</p>" if text else ""


def _prose(text: str) -> str:
    """A docstring or description as HTML: what is between backquotes is code."""
    return re.sub(r"(`{1,2})([^`]+)\1", r"<code>\2</code>", escape(text))


def _fields(schema: dict[str, Any]) -> str:
    if "properties" not in schema:
        return f"<p>{_kind(schema)}</p>"
    required = schema.get("required", [])
    return _table([(name, _kind(field), name in required, field) for name, field in schema["properties"].items()])


def _table(rows: list[tuple[str, str, bool, dict[str, Any]]]) -> str:
    if not rows:
        return '<p class="faint">No fields.</p>'
    lines = "".join(
        f'<tr><th scope="row"><code>{escape(name)}</code></th><td>{kind}</td><td>{"required" if required else ""}</td>'
        f"<td>{_notes(schema)}</td></tr>"
        for name, kind, required, schema in rows
    )
    head = "".join(f'<th scope="col">{title}</th>' for title in ("Name", "Kind", "Needed", "Notes"))
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>'


def _kind(schema: dict[str, Any]) -> str:
    """The type of a value, in words; a shape is a link."""
    if "$ref" in schema:
        return _link(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(option) for option in schema["anyOf"]))
    if "enum" in schema:
        return "one of " + _codes(json.dumps(value) for value in schema["enum"])
    if "const" in schema:
        return f"<code>{escape(json.dumps(schema['const']))}</code>"
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return escape(f"{kind} ({schema['format']})" if "format" in schema else kind)


def _notes(schema: dict[str, Any]) -> str:
    """Description, bounds, example and default of a value."""
    parts = [_prose(schema.get("description", ""))]
    names = {"minimum": "at least", "maximum": "at most", "minLength": "length from", "maxLength": "length to"}
    for option in (schema, *schema.get("anyOf", [])):
        parts += [f"{words} {escape(str(option[name]))}" for name, words in names.items() if name in option]
        if "pattern" in option:
            parts.append(f"pattern <code>{escape(option['pattern'])}</code>")
        if option.get("examples"):
            parts.append(f"such as <code>{escape(json.dumps(option['examples'][0]))}</code>")
    if "default" in schema and schema["default"] is not None:
        parts.append(f"default <code>{escape(json.dumps(schema['default']))}</code>")
    return "; ".join(part for part in parts if part)


def _link(name: str) -> str:
    return f'<a href="#shape-{escape(name)}">{escape(name)}</a>'


def _curl(method: str, path: str, operation: dict[str, Any], document: dict[str, Any]) -> str:
    """The command of a request with all that is required; a path parameter stays as ``{name}``, to be filled in."""
    needed = {
        parameter["name"]: _sample(parameter["schema"], document, whole=False)
        for parameter in operation["parameters"]
        if parameter["required"] and parameter["in"] == "query"
    }
    query = f"?{urlencode(needed)}" if needed else ""
    lines = [f'curl -X {method.upper()} "$URL{path}{query}"']
    lines += ['-H "Authorization: Bearer $KEY"'] if operation["x-roles"] else []
    if "requestBody" in operation:
        body = _sample(operation["requestBody"]["content"]["application/json"]["schema"], document, whole=False)
        lines += ['-H "Content-Type: application/json"', f"-d '{json.dumps(body)}'"]
    return " \\\n  ".join(lines)


def _shown_answer(responses: dict[str, Any], document: dict[str, Any]) -> str:
    """The answer to the example, where it is JSON."""
    good: dict[str, Any] = next(iter(responses.values()), {})
    shape = good.get("content", {}).get("application/json")
    if shape is None:
        return ""
    text = json.dumps(_sample(shape["schema"], document, whole=True), indent=2)
    return f"<h4>Its answer</h4><pre><code>{escape(text)}</code></pre>"


def _sample(schema: dict[str, Any], document: dict[str, Any], *, whole: bool) -> Any:
    """A value as a schema has it; of an object only the required fields, or the ``whole`` of it."""
    if "$ref" in schema:
        return _sample(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], document, whole=whole)
    if schema.get("examples"):
        return schema["examples"][0]
    if "anyOf" in schema:
        return _sample(schema["anyOf"][0], document, whole=whole)
    for name in ("const", "default"):
        if schema.get(name) is not None:
            return schema[name]
    if schema.get("enum"):
        return schema["enum"][0]
    if "properties" in schema:
        names = schema["properties"] if whole else schema.get("required", [])
        return {name: _sample(schema["properties"][name], document, whole=whole) for name in names}
    if schema.get("type") == "array":
        return [_sample(schema["items"], document, whole=whole)] if whole and "items" in schema else []
    formats = {"date-time": "2026-11-23T08:30:00Z", "date": "2026-11-23"}
    plain = {"integer": schema.get("minimum", 1), "boolean": True, "object": {}, "null": None}
    return plain.get(schema.get("type", ""), formats.get(schema.get("format", ""), "..."))
