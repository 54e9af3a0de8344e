"""Hypercorn and Quart-Trio as they come, with nothing behind: `python -m benchmarks.bare FILE`.

It answers `/list` with the bytes of the file, whether they are asked for by GET or by PUT, and
`/health` with a few; it sends the body of each `PUT /tell` to whoever listens to `/events`, and
prints its URL. What a daemon stands on besides is imported, and not used.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.root import ROOT


class Bare(NamedTuple):
    """A server of that kind which runs."""

    url: str
    pid: int


@contextmanager
def serving(file: Path) -> Iterator[str]:
    """The URL of such a server during the block."""
    with running(file) as server:
        yield server.url


@contextmanager
def running(file: Path) -> Iterator[Bare]:
    """Such a server during the block."""
    argv = [sys.executable, "-m", "benchmarks.bare", str(file)]
    process = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Bare(process.stdout.readline().strip(), process.pid)
    finally:
        process.kill()
        process.wait()


def main(file: str) -> None:
    import aiosqlite  # noqa: F401
    import click  # noqa: F401
    import msgspec  # noqa: F401
    import structlog  # noqa: F401
    import trio
    from hypercorn.config import Config
    from hypercorn.trio import serve
    from quart import Response, request
    from quart_trio import QuartTrio

    app = QuartTrio("bare")
    content = Path(file).read_bytes()

    @app.get("/list")
    async def listed() -> Response:
        return Response(content, content_type="application/json")

    @app.put("/list")
    async def changed() -> Response:
        await request.get_data()
        return Response(content, content_type="application/json")

    @app.get("/health")
    async def health() -> Response:
        return Response(b'{"status":"ok"}', content_type="application/json")

    sent: list[bytes] = []
    more = trio.Event()

    @app.put("/tell")
    async def create() -> Response:
        nonlocal more
        body = await request.get_data()
        assert isinstance(body, bytes)
        sent.append(body)
        more.set()
        more = trio.Event()
        return Response(b"{}", content_type="application/json")

    @app.get("/events")
    async def events() -> Response:
        async def body() -> AsyncIterator[bytes]:
            yield b"retry: 2000\n\n"
            position = len(sent)
            while True:
                while position == len(sent):
                    await more.wait()
                news = b"".join(b"event: told\ndata: %s\n\n" % data for data in sent[position:])
                position = len(sent)
                yield news

        response = Response(body(), content_type="text/event-stream")
        response.timeout = None
        return response

    config = Config()
    config.bind = ["127.0.0.1:0"]
    config.accesslog = None
    config.errorlog = logging.getLogger("hypercorn")

    async def run() -> None:
        async with trio.open_nursery() as nursery:
            urls = await nursery.start(serve, app, config)
            print(urls[0], flush=True)

    trio.run(run)


if __name__ == "__main__":
    main(sys.argv[1])
