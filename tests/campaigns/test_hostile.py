"""The campaign of hostile requests knows every route, and its dice are those of its seed."""

from __future__ import annotations

from random import Random

from anyond.http.openapi.document import document
from campaigns.hostile.requests import Maker
from campaigns.hostile.routes import routes

NAMES = {"project": "p", "task": "t", "attempt": "a", "process": "e", "question": "q", "tag": "g"}


def test_every_declared_route_takes_part() -> None:
    known = {(route.method.lower(), route.path) for route in routes()}
    for path, operations in document()["paths"].items():
        plain = "{}".join(part.rpartition("}")[2] for part in path.split("{"))
        for method in operations:
            assert (method, plain) in known


def test_the_same_seed_makes_the_same_requests() -> None:
    made = [
        [maker.make() for _ in range(300)]
        for maker in (Maker(Random("7"), routes(), NAMES, ["/x"]) for _ in range(2))
    ]
    assert made[0] == made[1]


def test_each_request_goes_over_the_wire() -> None:
    maker = Maker(Random("8"), routes(), NAMES, ["/x", "n" * 300])
    for _ in range(2000):
        head = maker.make().head("127.0.0.1:1")
        assert head.endswith(b"\r\n\r\n")
        assert b"\r\nHost: 127.0.0.1:1\r\n" in head
