"""The page of the API for people: every operation is on it, and it loads nothing from anywhere."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import re
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from walk import operations

from chalicelib.web import docs

VOID = {"meta", "br", "hr", "img", "input", "link"}


class Page(HTMLParser):
    """The page's elements, with a check that every one is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def reply(operator: Any) -> Any:
    found = operator.with_key("").get("/docs")
    assert found.status == 200
    return found


@pytest.fixture(scope="module")
def page(reply: Any) -> Page:
    return Page(reply.text)


def test_it_is_a_page_that_may_load_nothing(reply: Any, page: Page) -> None:
    assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = dict(part.strip().split(" ", 1) for part in reply.headers["Content-Security-Policy"].split(";"))
    (style,) = re.findall(r"<style>(.*?)</style>", reply.text, re.DOTALL)
    known = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == {
        "default-src": "'none'",
        "style-src": f"'sha256-{known}'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert "url(" not in style and "@import" not in style


def test_it_has_no_script_no_handler_no_inline_style_and_no_address_outside(reply: Any, page: Page) -> None:
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "iframe", "object", "embed", "img", "link", "form", "base", "svg", "video", "audio"}
    for _, attributes in page.elements:
        assert not [
            name for name in attributes if name.startswith("on") or name in ("style", "src", "srcset", "action")
        ]
    assert {one["href"] for one in page.all("a") if not one["href"].startswith("#")} == {"v1/openapi.json"}


def test_every_operation_and_every_shape_is_on_it(document: dict[str, Any], page: Page) -> None:
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    said = "".join(page.texts)
    for op in operations(document):
        assert f"op-{op.told['operationId']}" in ids
        assert op.path in said and op.told["summary"].replace("`", "") in said
    for name in document["components"]["schemas"]:
        assert f"shape-{name}" in ids


def test_every_link_in_the_page_leads_somewhere(page: Page) -> None:
    ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    inside = {one["href"].removeprefix("#") for one in page.all("a") if one["href"].startswith("#")}
    assert inside <= ids
    assert len(inside) > 100


def test_examples_have_all_that_is_required_and_show_the_answer(document: dict[str, Any], reply: Any) -> None:
    parts = dict(re.findall(r'id="op-(\w+)">(.*?)</details>', reply.text, re.DOTALL))
    answers = 0
    for op in operations(document):
        command, *answer = map(
            unescape, re.findall(r"<pre><code>(.*?)</code></pre>", parts[op.told["operationId"]], re.DOTALL)
        )
        query = set(parse_qs(urlsplit(command.split('"')[1]).query))
        needed = {one["name"] for one in op.told["parameters"] if one["in"] == "query" and one["required"]}
        assert query == needed, command
        assert ("Authorization" in command) == bool(op.told["x-roles"])
        good = next(iter(op.told["responses"].values())).get("content", {}).get("application/json")
        assert len(answer) == (good is not None)
        if good and "$ref" in good["schema"]:
            shape = document["components"]["schemas"][good["schema"]["$ref"].rpartition("/")[2]]
            assert json.loads(answer[0]).keys() == shape["properties"].keys()
            answers += 1
    assert answers > 40


def test_code_in_its_texts_is_marked_up_and_not_in_backquotes(page: Page) -> None:
    assert not [text for text in page.texts if "`" in text]


def test_the_address_of_the_deployment_leads_to_the_page(operator: Any) -> None:
    found = operator.with_key("").get("/")
    assert (found.status, found.headers["Location"]) == (303, "http://127.0.0.1/docs")


def test_it_can_be_read_by_ear_and_by_keyboard(page: Page) -> None:
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == len(page.all("main")) == len(page.all("title")) == 1
    assert page.all("nav")[0]["aria-label"] and page.all("a")[0] == {"class": "skip", "href": "#main"}
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    main = levels[levels.index(1) :]
    assert all(after - before <= 1 for before, after in itertools.pairwise(main))
    assert all(one["scope"] in ("row", "col") for one in page.all("th"))
    assert len(page.all("summary")) == len(page.all("details"))


def contrast(one: str, two: str) -> float:
    """WCAG 2's ratio of two colours."""

    def light(colour: str) -> float:
        parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((light(one), light(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
def test_its_colours_can_be_told_apart(mode: int, reply: Any) -> None:
    block = re.findall(r":root \{(.*?)\}", reply.text, re.DOTALL)[mode]
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block))
    assert len(colours) == 11
    for paper in ("paper", "block"):
        for name in colours.keys() - {"paper", "block", "line"}:
            assert contrast(colours[name], colours[paper]) >= 4.5, f"{name} on {paper}"


def test_what_the_document_says_is_text_and_no_markup() -> None:
    told = {"operationId": "x", "summary": "<b>&", "x-roles": [], "x-scopes": [], "parameters": [], "responses": {}}
    made = docs._operation("get", "/v1/<script>", told, {})
    assert "<script>" not in made and "<b>" not in made
    assert "/v1/&lt;script&gt;" in made and "&lt;b&gt;&amp;" in made
