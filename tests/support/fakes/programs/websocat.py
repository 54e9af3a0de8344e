"""`websocat URL` where there is none: what comes over a WebSocket, one message a line."""

from __future__ import annotations

import sys

import trio
from trio_websocket import ConnectionClosed, open_websocket_url


async def main(url: str) -> None:
    async with open_websocket_url(url) as connection:
        try:
            while True:
                print(await connection.get_message(), flush=True)
        except ConnectionClosed:
            pass


if __name__ == "__main__":
    trio.run(main, sys.argv[1])
