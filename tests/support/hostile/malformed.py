"""How requests look that no client of good will sends, made from those that are well-formed."""

from __future__ import annotations

import copy
import http.client
import json
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

Path = tuple[str | int, ...]
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class Shape:
    """One route with a request that it takes. `$name` stands for the id of something real.

    Args:
        method: of HTTP, or WEBSOCKET.
        rule: as in the application's map.
        key: what stands for `<key>`.
        body: None if the route reads none.
        query: the parameters that it reads.
    """

    method: str
    rule: str
    key: str = ""
    body: Any = None
    query: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.method} {self.rule}"


@dataclass(frozen=True)
class Request:
    """What goes over the wire, except that `$name` is still to be replaced."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes
    stream: bool = False


def paths(value: Any, at: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value inside of `value` with its path."""
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for name, inner in items:
        yield (*at, name), inner
        yield from paths(inner, (*at, name))


def spelled(path: Path) -> str:
    """A path as refusals spell it: `a.b[0]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def changed(body: Any, path: Path, change: Callable[[Any, str | int], None]) -> Any:
    """A copy of `body` in which `change` was done to the container at the end of `path`."""
    whole = copy.deepcopy(body)
    inner = whole
    for part in path[:-1]:
        inner = inner[part]
    change(inner, path[-1])
    return whole


def replaced(body: Any, path: Path, value: Any) -> Any:
    return changed(body, path, lambda inner, name: inner.__setitem__(name, value))


def without(body: Any, path: Path) -> Any:
    return changed(body, path, lambda inner, name: inner.__delitem__(name))


# ------------------------------------------------------------ strategies

_TEXTS = st.one_of(
    st.sampled_from(
        [
            "",
            " ",
            "\n",
            "\0",
            "a\0b",
            "\ud800",
            "../../etc",
            "-f",
            "--upload-pack=x",
            "HEAD",
            "refs/heads/main",
            "main\nmain",
            "a..b",
            "ä/ö",
            "\u202e",
            "x" * 1001,
            "x" * 70_000,
            "true",
            "null",
            "$project",
            "$attempt",
            UNKNOWN,
            "DEMO",
            "DEFAULT",
        ]
    ),
    st.text(max_size=20),
)
_VALUES: st.SearchStrategy[Any] = st.one_of(
    _TEXTS,
    st.sampled_from([None, True, 0, -1, 1e308, 10**400, 2**63, 1.5, [], {}, [[]], {"": {}}]),
    st.lists(_TEXTS, max_size=3),
    st.dictionaries(_TEXTS, st.one_of(_TEXTS, st.none(), st.integers()), max_size=3),
)
_RAW = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [
            b"",
            b"null",
            b"[]",
            b'"text"',
            b"7",
            b"NaN",
            b"{",
            b"\xff\xfe{}",
            b"\xef\xbb\xbf{}",
            b'{"title": "\xc3"}',
            b"[" * 100_000,
            b'{"a":' * 100_000,
            b"1" * 5000,
            b'{"a":1,"a":2}',
        ]
    ),
)
_KEYS = st.sampled_from(
    [
        UNKNOWN,
        "x",
        "%00",
        "%ff%fe",
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e",
        "%F0%9F%92%A9",
        "1e5",
        UNKNOWN + "%0a",
        "%7b" + UNKNOWN + "%7d",
        "A" * 3000,
        "stream",
        "ws",
        "'%20or%201=1--",
        "%E0%80",
        "%",
        "%zz",
        ";x=y",
    ]
)
_PARAMETERS = st.sampled_from(
    [
        "",
        "%00",
        "%ff",
        "-1",
        "0",
        "1",
        "9" * 18,
        "9" * 30,
        "true",
        "maybe",
        "1e9",
        UNKNOWN,
        "%D9%A3",
    ]
)
_HEADERS = st.lists(
    st.sampled_from(
        [
            ("Content-Type", "text/plain"),
            ("Content-Type", "application/json; charset=utf-16"),
            ("Content-Type", "\x80\xff"),
            ("Content-Type", ""),
            ("Content-Type", "multipart/form-data; boundary=x"),
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Content-Encoding", "gzip"),
            ("Accept-Encoding", "x;q=y"),
            ("If-None-Match", "*"),
            ("If-None-Match", '"' + "x" * 500),
            ("Last-Event-ID", "x"),
            ("Last-Event-ID", "0"),
            ("Range", "bytes=0-1"),
            ("Cookie", "anyon=x; =; ;;;"),
            ("Authorization", "Bearer"),
            ("X-Forwarded-For", "127.0.0.1"),
            ("X-HTTP-Method-Override", "DELETE"),
            ("Upgrade", "h2c"),
            ("Sec-WebSocket-Protocol", "a, b"),
            ("Sec-WebSocket-Extensions", "permessage-deflate"),
            ("Accept", "text/html"),
            ("Expect", "200-ok"),
        ]
    ),
    max_size=2,
    unique_by=lambda header: header[0],
)


def bodies(shape: Shape) -> st.SearchStrategy[bytes]:
    """Bodies near the one that is taken: as it is, with a wrong place in it, cut, or no JSON."""
    if shape.body is None:
        return st.one_of(st.just(b""), _RAW)
    whole = json.dumps(shape.body).encode()
    inside = [path for path, _ in paths(shape.body)]
    spots = st.sampled_from(inside)
    return st.one_of(
        st.just(whole),
        st.builds(lambda at, value: _json(replaced(shape.body, at, value)), spots, _VALUES),
        st.builds(lambda at: _json(without(shape.body, at)), spots),
        st.builds(lambda name, value: _json({**shape.body, name: value}), _TEXTS, _VALUES),
        st.builds(lambda end: whole[:end], st.integers(0, len(whole))),
        _RAW,
    )


def requests(shape: Shape) -> st.SearchStrategy[Request]:
    """Requests of one route, every part of them strange now and then."""
    keys = st.one_of(st.just(shape.key), _KEYS) if shape.key else st.just("")
    names = st.sampled_from([*shape.query, "after", "format", "batch", "", "%00"])
    more = st.lists(st.tuples(names, _PARAMETERS), max_size=2)

    def build(key: str, more: list[Any], headers: list[Any], body: bytes) -> Request:
        pairs = [*more, *shape.query.items()]
        query = "&".join(f"{name}={value}" for name, value in pairs)
        path = shape.rule.replace("<key>", key)
        named = {name.lower() for name, _ in headers}
        if shape.body is not None and "content-type" not in named:
            headers = [*headers, ("Content-Type", "application/json")]
        return Request(shape.method, path, query, tuple(headers), body)

    return st.builds(build, keys, more, _HEADERS, bodies(shape))


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


# ------------------------------------------------------------ the wire

_HANDSHAKE = (
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Version", "13"),
)


def exchange(port: int, request: Request) -> Answer:
    """Send `request` as it is, which libraries refuse to do; of streams only the head is read."""
    headers = [("Host", f"127.0.0.1:{port}"), *request.headers]
    method = request.method
    if method == "WEBSOCKET":
        method = "GET"
        headers = [h for h in headers if h[0] != "Upgrade"] + [*_HANDSHAKE]
    elif request.body or method in {"POST", "PUT"}:
        headers.append(("Content-Length", str(len(request.body))))
    target = request.path + (f"?{request.query}" if request.query else "")
    head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{n}: {v}\r\n" for n, v in headers)
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(head.encode("latin-1") + b"\r\n" + request.body)
        answer = http.client.HTTPResponse(connection, method=method)
        answer.begin()
        kind = answer.headers.get("Content-Type", "")
        stream = answer.status == 101 or kind.startswith("text/event-stream")
        return Answer(answer.status, answer.headers, b"" if stream else answer.read(), stream)
