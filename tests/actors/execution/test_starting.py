"""A start that failed stays failed, however long the database refuses to say so."""

from __future__ import annotations

import pytest
import trio
from structlog.testing import capture_logs

from anyond.actors.attempts import Attempts
from anyond.actors.execution import starting as starting_module
from anyond.model.errors import Unavailable
from anyond.model.rows import ProcessStatus, ScriptContext
from anyond.operations.resources import Resources
from anyond.operations.run import run
from anyond.operations.subject import Subject
from anyond.operations.workspace import images
from anyond.watchers.logs import Logs
from tests.support.rows import add_run, runs_script
from tests.support.store.running_rows import final, told


async def test_a_row_that_could_not_be_made_final_at_once_is_so_later_and_never_started(
    resources: Resources,
    about: Subject,
    nursery: trio.Nursery,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[str] = []
    fail_start = run.fail_start

    async def fail_later(*arguments: object) -> None:
        tried.append("final")
        if len(tried) < 5:
            raise Unavailable("The database is full.")
        await fail_start(*arguments)  # type: ignore[arg-type]

    async def place(*_: object) -> None:
        tried.append("start")
        raise RuntimeError("a bug of ours")

    monkeypatch.setattr(starting_module, "FIRST_BACKOFF_S", 0.001)
    monkeypatch.setattr(images, "place", place)
    monkeypatch.setattr(run, "fail_start", fail_later)
    awake = Attempts(nursery, resources, Logs(resources.store, resources.launcher))
    row = await add_run(resources, about, runs_script("touch started", ScriptContext.CLEANUP))
    with pytest.raises(Unavailable, match="database is full"):
        await awake.begin(row)
    assert (await final(resources, row)).status is ProcessStatus.FAILED
    assert tried == ["start", *["final"] * 4]
    assert "database is full" in told(resources, row)


async def test_what_passes_by_itself_is_no_crash_of_the_execution(
    resources: Resources,
    about: Subject,
    nursery: trio.Nursery,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks: list[str] = []
    look = resources.launcher.look

    def look_later(id: str, *, recorded: bool = True) -> object:
        looks.append(id)
        if len(looks) < 8:  # more often than a crash is taken for bad luck
            raise Unavailable("Input/output error.")
        return look(id, recorded=recorded)

    monkeypatch.setattr(resources.launcher, "look", look_later)
    row = await add_run(resources, about, runs_script("exit 0", ScriptContext.CLEANUP))
    awake = Attempts(nursery, resources, Logs(resources.store, resources.launcher))
    with capture_logs() as logged:
        await awake.recover()
        assert (await final(resources, row)).status is ProcessStatus.COMPLETED
    events = [line["event"] for line in logged]
    assert "execution_crashed" not in events
    assert events.count("attempt_left") == 7
