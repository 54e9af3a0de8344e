"""The check for rows without an owner: it goes on whatever becomes of one look."""

from __future__ import annotations

import pytest
import trio
from msgspec.structs import replace

from anyond.actors import owner_check as owner_check_module
from anyond.actors.attempts import Attempts
from anyond.actors.owner_check import OwnerCheck
from anyond.model.errors import Unavailable
from anyond.model.rows import ProcessStatus, ScriptContext
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.store.runs import processes
from anyond.watchers.logs import Logs
from tests.support.overlay import overlaid
from tests.support.rows import add_run, end_run, runs_script
from tests.support.store.running_rows import final, told


async def test_a_look_that_fails_is_not_the_last(
    resources: Resources,
    about: Subject,
    nursery: trio.Nursery,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(owner_check_module, "PAUSE_S", 0.01)
    looks: list[object] = []

    async def read(work: object) -> object:
        looks.append(work)
        if len(looks) == 1:
            raise Unavailable("No room.")
        return await resources.store.read(work)  # type: ignore[arg-type]

    failing = replace(resources, store=overlaid(resources.store, read=read))
    awake = Attempts(nursery, resources, Logs(resources.store, resources.launcher))
    check = OwnerCheck(failing, awake)
    monkeypatch.setattr(OwnerCheck.check, "__defaults__", (0.01,))
    row = await add_run(resources, about, runs_script("exit 0", ScriptContext.CLEANUP))
    nursery.start_soon(check.run)
    assert (await final(resources, row)).status is ProcessStatus.COMPLETED
    assert "took it up again" in told(resources, row)


async def test_a_row_that_is_taken_up_or_over_meanwhile_is_left_to_whoever_has_it(
    resources: Resources, about: Subject, nursery: trio.Nursery
) -> None:
    awake = Attempts(nursery, resources, Logs(resources.store, resources.launcher))
    check = OwnerCheck(resources, awake)
    action = runs_script("exec sleep 600", ScriptContext.DEV_SERVER)
    taken, over = [await add_run(resources, about, action) for _ in range(2)]
    found: list[list[str]] = []

    async def look() -> None:
        found.append([row.id for row in await check.check(settle_s=1.0)])

    async with trio.open_nursery() as checks:
        checks.start_soon(look)
        await trio.sleep(0.2)  # it has looked once, and looks again later
        await end_run(resources, over)
        await awake.begin(taken)
        # Written after the first look: its writer has not had the time that others get.
        late = await add_run(resources, about, action)
    assert found == [[]]
    assert "took it up again" not in told(resources, taken)
    rows = await resources.store.read(lambda r: processes.running_of(r, about.attempt.id))
    assert {row.id for row in rows} == {taken.id, late.id}
    await awake.halt(about.attempt.id)
