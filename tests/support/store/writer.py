"""A program that writes until it is killed, and says what it was promised."""

from __future__ import annotations

import sys
from pathlib import Path

import trio

from anyond.model.rows import TaskStatus
from anyond.store.board import tasks
from anyond.store.engine.database import Store
from tests.support.store.seeds import add_project, add_task, at

WRITERS = 8


async def write(store: Store, writer: int) -> None:
    nth = 0
    while True:
        id = f"{writer}-{nth}"

        def work(tx, id=id):  # type: ignore[no-untyped-def]
            add_task(tx, id)
            tasks.set_status(tx, id, TaskStatus.DONE, at(1))

        await store.write(work)
        # Unbuffered, in one piece: what was read here was promised before.
        sys.stdout.write(f"{id}\n")
        sys.stdout.flush()
        nth += 1


async def main() -> None:
    async with Store.open(Path(sys.argv[1])) as store:
        if store.changes.end == 0:
            await store.write(add_project)
        async with trio.open_nursery() as nursery:
            for writer in range(WRITERS):
                nursery.start_soon(write, store, writer)


if __name__ == "__main__":
    trio.run(main)
