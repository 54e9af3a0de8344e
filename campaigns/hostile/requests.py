"""Faulty requests: made from one that is right, by chance."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any
from urllib.parse import quote

from campaigns.hostile.routes import Route
from campaigns.hostile.values import (
    CHUNKS,
    HEADERS,
    KEYS,
    METHODS,
    NUMBERS,
    OTHERS,
    RAW,
    TEXTS,
    UNKNOWN,
)


@dataclass(frozen=True)
class Request:
    """Bytes for the wire, and how they get there.

    Args:
        body: what is sent behind the head; `length` is what the head says of it.
        length: None for a body in chunks, "" for no word about it.
        manner: `whole`, `pieces` (a byte at a time now and then), `half` (nothing more comes, but
            the answer is read) or `gone` (nobody reads the answer).
    """

    route: Route
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    length: str | None = ""
    manner: str = "whole"

    def head(self, host: str) -> bytes:
        lines = [f"{self.method} {self.target} HTTP/1.1", f"Host: {host}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.length is None:
            lines.append("Transfer-Encoding: chunked")
        elif self.length:
            lines.append(f"Content-Length: {self.length}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")


class Maker:
    """Makes requests; two with the same dice make the same.

    Args:
        names: ids of real things by their kind.
        places: paths that are a trial: links, pipes, names that are too long.
    """

    def __init__(
        self, dice: Random, routes: list[Route], names: Mapping[str, str], paths: list[str]
    ) -> None:
        self._dice = dice
        self._routes = routes
        self._names = names
        self._texts = [*TEXTS, *paths]

    def make(self) -> Request:
        """One request, with one to three things wrong with it."""
        made = self._right(self._dice.choice(self._routes))
        changes: list[Callable[[Request], Request]] = [
            self._wrong_key,
            self._wrong_query,
            self._wrong_header,
            self._wrong_body,
            self._wrong_body,
            self._wrong_transport,
        ]
        for change in self._dice.sample(changes, self._dice.choice((1, 1, 2, 3))):
            made = change(made)
        return made

    def _right(self, route: Route) -> Request:
        # What is deleted could not be tried any more.
        real = route.method != "DELETE"
        path = route.parts[0]
        for place, part in enumerate(route.parts[1:]):
            path += (self._names.get(route.kind(place), UNKNOWN) if real else UNKNOWN) + part
        headers: list[tuple[str, str]] = []
        if route.upgraded:
            headers = [
                ("Upgrade", "websocket"),
                ("Connection", "Upgrade"),
                ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
                ("Sec-WebSocket-Version", "13"),
            ]
        body = b""
        if route.upload is not None:
            headers.append(("Content-Type", "multipart/form-data; boundary=b"))
            body = self._form(route.upload, self._dice.choice(RAW))
        elif route.body is not None:
            headers.append(("Content-Type", "application/json"))
            body = _json(self._with_names(route.body))
        query = {name: self._real(name, value) for name, value in route.query.items()}
        made = Request(route, route.method, path, tuple(headers), body, str(len(body)))
        return self._asked(made, query)

    def _form(self, name: str, content: bytes) -> bytes:
        file = self._dice.choice(("a.png", "", "../x", "a\0b", "x" * 300, 'a"b', "\xff"))
        head = f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="{file}"\r\n\r\n'
        return head.encode("latin-1", "replace") + content + b"\r\n--b--\r\n"

    def _real(self, name: str, value: Any) -> Any:
        for kind in self._names:
            if name.endswith(f"{kind}_id"):
                return self._names[kind]
        return "" if value is None else value

    def _with_names(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {k: self._real(k, self._with_names(v)) for k, v in value.items()}
        return value

    def _asked(self, request: Request, query: Mapping[str, Any]) -> Request:
        pairs = "&".join(f"{n}={v if v in KEYS else _quoted(v)}" for n, v in query.items())
        path = request.target.partition("?")[0]
        return replace(request, target=f"{path}?{pairs}" if pairs else path)

    # ------------------------------------------------------------ what is wrong

    def _value(self) -> Any:
        dice = self._dice
        kinds = (dice.choice(self._texts), dice.choice(NUMBERS), dice.choice(OTHERS))
        return copy.deepcopy(dice.choice(kinds))  # it may be spoiled in its turn

    def _wrong_key(self, request: Request) -> Request:
        route, dice = request.route, self._dice
        path = route.parts[0]
        for place, part in enumerate(route.parts[1:]):
            named = self._names.get(route.kind(place), UNKNOWN)
            path += dice.choice((dice.choice(KEYS), dice.choice([*self._names.values(), named])))
            path += part
        if dice.random() < 0.1:
            path += dice.choice(("/", "//", "/..", "/%2e%2e/", "?", "#x", "/" + "y" * 2000))
        if request.method == "DELETE":
            path = route.parts[0] + dice.choice(KEYS) + "".join(route.parts[2:])
        _, mark, query = request.target.partition("?")
        return replace(request, target=path.replace(" ", "%20") + mark + query)

    def _wrong_query(self, request: Request) -> Request:
        dice = self._dice
        query = {name: self._real(name, value) for name, value in request.route.query.items()}
        for name in dice.sample([*query, "after", "format", "path", "%00", ""], 2):
            query[name] = dice.choice((dice.choice(KEYS), self._value()))
        return self._asked(request, query)

    def _wrong_header(self, request: Request) -> Request:
        more = self._dice.sample(HEADERS, self._dice.choice((1, 1, 2)))
        named = {name.lower() for name, _ in more}
        others = [header for header in request.headers if header[0].lower() not in named]
        return replace(request, headers=(*others, *more))

    def _wrong_body(self, request: Request) -> Request:
        dice, body = self._dice, request.route.body
        data: bytes
        if body is None or dice.random() < 0.15:
            data = dice.choice(RAW)
        else:
            whole = copy.deepcopy(self._with_names(body))
            for _ in range(dice.choice((1, 1, 2))):
                self._spoil(whole)
            data = _json(whole)
            if dice.random() < 0.1:
                data = data[: dice.randrange(len(data) + 1)]
        if request.route.upload is not None:
            data = dice.choice((data, self._form(dice.choice((request.route.upload, "x")), data)))
        return replace(request, body=data, length=str(len(data)))

    def _spoil(self, value: Any) -> None:
        """Change, add or remove something at any depth of `value`."""
        dice = self._dice
        if isinstance(value, dict) and value:
            name = dice.choice(list(value))
            if isinstance(value[name], dict | list) and value[name] and dice.random() < 0.7:
                self._spoil(value[name])
            elif dice.random() < 0.1:
                del value[name]
            elif dice.random() < 0.1:
                value[dice.choice(self._texts)] = self._value()
            else:
                value[name] = self._value()
        elif isinstance(value, list):
            value.insert(dice.randrange(len(value) + 1), self._value())

    def _wrong_transport(self, request: Request) -> Request:
        dice, size = self._dice, len(request.body)
        match dice.randrange(7):
            case 0:
                return replace(request, manner="half", length=str(size + dice.randrange(200)))
            case 1:
                return replace(request, manner="gone")
            case 2:
                return replace(request, manner="pieces")
            case 3:
                lengths = ("-1", "9" * 400, "9" * 19, "1,2", "0x5", "\xb2", "", "+3")
                return replace(request, manner="half", length=dice.choice(lengths))
            case 4:
                return replace(request, manner="half", length=None, body=dice.choice(CHUNKS))
            case 5:
                return replace(request, method=dice.choice(METHODS))
            case _:
                return replace(request, manner="half")


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _quoted(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return quote(text.encode("utf-8", "surrogatepass"), safe="")[:20_000]
