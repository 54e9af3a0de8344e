"""The description as one page for people, with nothing in it from anywhere else."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Any

from anyond.http.openapi.schemas import PLACE
from anyond.http.openapi.typescript import declaration, expression

Described = dict[str, Any]

_JSON = "application/json"


def page(document: Described) -> str:
    """`document` as HTML."""
    return "".join(_page(document))


@cache
def policy() -> str:
    """The Content-Security-Policy of the page: its own script and style, and this daemon."""
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src '{_digest('page.js')}'",
            f"style-src '{_digest('page.css')}'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )


def _digest(name: str) -> str:
    return f"sha256-{b64encode(sha256(_file(name).encode()).digest()).decode()}"


@cache
def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _page(document: Described) -> Iterator[str]:
    info = document["info"]
    yield '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{escape(info['title'])} API</title><style>{_file('page.css')}</style></head>"
    yield f"<body><header><h1>{escape(info['title'])} API {escape(info['version'])}</h1>"
    for paragraph in info["description"].split("\n\n"):
        yield f"<p>{_prose(paragraph)}</p>"
    yield '<p><a href="/openapi.json">The same as OpenAPI 3.1</a></p>'
    yield '<input id="search" type="search" placeholder="Search" aria-label="Search" autofocus>'
    names = [tag["name"] for tag in document["tags"]]
    links = "".join(f'<a href="#{_anchor(name)}">{escape(name)}</a>' for name in names)
    yield f'<nav>{links}<a href="#types">Types</a></nav></header><main>'
    for tag in document["tags"]:
        yield f'<section id="{_anchor(tag["name"])}"><h2>{escape(tag["name"])}</h2>'
        yield f"<p>{_prose(tag['description'])}</p>"
        for path, methods in document["paths"].items():
            for verb, operation in methods.items():
                if tag["name"] in operation["tags"]:
                    yield from _operation(path, verb, operation)
        yield "</section>"
    yield '<section id="types"><h2>Types</h2>'
    for name, schema in document["components"]["schemas"].items():
        yield f'<details id="type-{name}"><summary><code>{name}</code></summary>'
        yield f"<div><pre>{escape(declaration(name, schema))}</pre></div></details>"
    yield f"</section></main><script>{_file('page.js')}</script></body></html>"


def _operation(path: str, verb: str, operation: Described) -> Iterator[str]:
    method = "STREAM" if "x-websocket" in operation else verb.upper()
    yield f'<details id="{operation["operationId"]}"><summary><b class="method">{method}</b> '
    yield f"<code>{escape(path)}</code> <span>{escape(operation['summary'])}</span></summary><div>"
    if "description" in operation:
        yield f"<p>{_prose(operation['description'])}</p>"
    yield from _parameters(path, operation, tries=_can_be_tried(verb, operation))
    body = operation.get("requestBody")
    if body is not None:
        [(kind, content)] = body["content"].items()
        optional = "" if body["required"] else ", may be left out"
        yield f"<h3>Body ({escape(kind)}{optional}): {_type(content['schema'])}</h3>"
        yield from _example(content)
    yield from _answers(operation)
    yield from _frames(operation)
    yield "</div></details>"


def _can_be_tried(verb: str, operation: Described) -> bool:
    return verb == "get" and _JSON in operation["responses"].get("200", {}).get("content", {})


def _parameters(path: str, operation: Described, *, tries: bool) -> Iterator[str]:
    parameters = operation.get("parameters", [])
    if tries:
        yield f'<form data-path="{escape(path)}">'
    if parameters:
        yield '<h3>Parameters</h3><table class="parameters">'
    for parameter in parameters:
        name, place = parameter["name"], parameter["in"]
        needed = " (needed)" if parameter.get("required") else ""
        field = "<td></td>" if tries else ""
        if tries and place != "header":
            field = f"<td>{_input(parameter)}</td>"
        yield f"<tr><td><code>{escape(name)}</code>{needed}</td><td>{place}</td>"
        yield f"<td>{_type(parameter['schema'])}</td><td>{_prose(parameter['description'])}</td>"
        yield f"{field}</tr>"
    if parameters:
        yield "</table>"
    if tries:
        yield "<p><button>Try it</button></p><output></output></form>"


def _input(parameter: Described) -> str:
    name = escape(parameter["name"])
    example = escape(str(parameter.get("example", "")))
    needed = " required" if parameter.get("required") else ""
    return (
        f'<input name="{name}" data-in="{parameter["in"]}" aria-label="{name}"'
        f' placeholder="{example}"{needed}>'
    )


def _answers(operation: Described) -> Iterator[str]:
    for status, response in operation["responses"].items():
        if "$ref" in response or not status.startswith(("1", "2")):
            continue
        for kind, content in response.get("content", {}).items():
            schema = content.get("schema", {})
            data = schema.get("properties", {}).get("data")
            kind_text = f": {_type(data)}" if data is not None else f" ({escape(kind)})"
            yield f"<h3>Answer {status}{kind_text}</h3>"
            yield from _example(content)
    yield "<h3>Refusals</h3><table>"
    for status, response in operation["responses"].items():
        if "$ref" not in response and status.startswith(("4", "5")):
            text = "<br>".join(_prose(line) for line in response["description"].splitlines())
            yield f"<tr><td>{status}</td><td>{text}</td></tr>"
    yield "</table>"


def _frames(operation: Described) -> Iterator[str]:
    for name, schema in operation.get("x-events", {}).items():
        yield f"<p><code>event: {escape(name)}</code>, data: {_type(schema)}</p>"
    stream = operation.get("x-websocket")
    if stream is not None:
        yield f"<h3>Frames: {_type(stream['frame'])}</h3>"
        for example in stream["examples"]:
            yield from _example({"example": example})
        yield f"<p>Its end: {_prose(stream['end'])}</p>"


def _example(content: Described) -> Iterator[str]:
    if "example" in content:
        value = content["example"]
        text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
        yield f"<pre>{escape(text)}</pre>"


def _type(schema: Described) -> str:
    """A type in words of TypeScript, with a link where it is one of those below."""
    ref = schema.get("$ref") or schema.get("items", {}).get("$ref")
    text = f"<code>{escape(expression(schema))}</code>"
    return f'<a href="#type-{ref.removeprefix(PLACE)}">{text}</a>' if ref else text


def _prose(text: str) -> str:
    """Text in which `words` are code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{p}</code>" if n % 2 else p for n, p in enumerate(parts))


def _anchor(name: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in name.lower()).split())
