"""A jump of the clock decides nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import trio

from tests.support.daemon import Daemon


async def test_a_question_is_open_as_long_as_daemons_were_there_whatever_the_clock_says(
    daemon: Daemon,
) -> None:
    await daemon.ask("PUT", "/api/config", {"approval_timeout_s": 8})
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(await daemon.project(), "run echo ran > ran.txt")
    question = await daemon.question()
    await daemon.kill()
    with closing(sqlite3.connect(daemon.data / "anyon.db")) as connection:
        # As if the clock had jumped twenty years while nobody looked.
        connection.execute(
            "UPDATE approvals SET created_at = '2006' || substr(created_at, 5),"
            " timeout_at = '2006' || substr(timeout_at, 5)"
        )
        connection.commit()
    await daemon.start()
    await trio.sleep(1)  # in which it would be decided
    assert (await daemon.question())["id"] == question["id"]

    async def waited() -> bool:
        with closing(sqlite3.connect(daemon.data / "anyon.db")) as connection:
            return bool(connection.execute("SELECT waited_s FROM approvals").fetchone()[0] >= 5)

    await daemon.until(waited, "a note of the time")
    await daemon.kill()
    await daemon.start()
    began = trio.current_time()
    await daemon.over(attempt)
    # What it had waited before counts: three seconds were left of eight.
    assert trio.current_time() - began < 8
    with closing(sqlite3.connect(daemon.data / "anyon.db")) as connection:
        assert connection.execute("SELECT status FROM approvals").fetchone() == ("timed_out",)
