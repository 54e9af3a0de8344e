"""What every actor promises: answers, refusals, an end that nobody has to wait for in vain."""

from __future__ import annotations

import ast
import gc
import weakref
from dataclasses import dataclass

import pytest
import trio

from anyond.actors.core import Actor, Intensity, keep
from anyond.machines.core import Answer, Refuse, Request
from anyond.model.errors import ActorGone, TimedOut
from anyond.model.refusals.requests import NotFound
from anyond.model.refusals.runs import Busy
from tests.support.paths import ROOT


class Echo(Request[int], frozen=True, eq=False, weakref=True):
    value: int


class Never(Request[None], frozen=True, eq=False): ...


@dataclass(frozen=True)
class Crash: ...


@dataclass(frozen=True)
class Leave: ...


class EchoMachine:
    def __init__(self) -> None:
        self.leaving = False

    def handle(self, event: object) -> list[object]:
        match event:
            case Echo(value):
                return [Answer(event, value)] if value >= 0 else [Refuse(event, Busy("no"))]
            case Crash():
                return [event]
            case Leave():
                self.leaving = True
        return []


class EchoActor(Actor[object, object]):
    machine: EchoMachine

    def __init__(self, missing: bool = False) -> None:
        super().__init__()
        self.machine = EchoMachine()
        self.missing = missing
        self.ended = False

    def __str__(self) -> str:
        return "echo"

    async def begin(self) -> None:
        if self.missing:
            raise NotFound("echo", 1)

    async def perform(self, command: object) -> None:
        raise RuntimeError("a bug")

    async def end(self) -> None:
        self.ended = True

    def idle(self) -> bool:
        return self.machine.leaving


async def live(actor: EchoActor) -> None:
    try:
        await actor.run()
    except* Exception:
        pass  # what reaches the askers is what these tests look at


async def test_an_answer_and_a_refusal_reach_their_askers(nursery: trio.Nursery) -> None:
    actor = EchoActor()
    nursery.start_soon(live, actor)
    assert await actor.ask(Echo(3)) == 3
    with pytest.raises(Busy):
        await actor.ask(Echo(-1))
    nursery.cancel_scope.cancel()


async def test_a_missing_subject_is_told_to_every_asker(nursery: trio.Nursery) -> None:
    actor = EchoActor(missing=True)
    nursery.start_soon(live, actor)
    with pytest.raises(NotFound):
        await actor.ask(Echo(1))
    with pytest.raises(NotFound):
        await actor.ask(Echo(1))


async def test_a_crash_refuses_the_open_questions(nursery: trio.Nursery) -> None:
    actor = EchoActor()
    nursery.start_soon(live, actor)
    actor.send(Crash())
    with pytest.raises(ActorGone):
        await actor.ask(Never())
    assert actor.gone
    await trio.testing.wait_all_tasks_blocked()
    assert actor.ended


async def test_whoever_gives_up_leaves_the_actor_alone(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    actor = EchoActor()
    nursery.start_soon(live, actor)
    with pytest.raises(TimedOut):
        await actor.ask(Never(), deadline=5)
    with trio.move_on_after(1):
        await actor.ask(Never())
    assert await actor.ask(Echo(1)) == 1
    nursery.cancel_scope.cancel()


async def test_an_actor_with_nothing_left_to_do_ends_but_not_before_its_inbox_is_empty(
    nursery: trio.Nursery,
) -> None:
    actor = EchoActor()
    nursery.start_soon(live, actor)
    actor.send(Leave())
    assert await actor.ask(Echo(1)) == 1
    await trio.testing.wait_all_tasks_blocked()
    assert actor.gone
    assert actor.ended


async def test_a_service_that_fails_too_often_is_given_up(
    autojump_clock: trio.testing.MockClock,
) -> None:
    runs: list[float] = []

    async def service() -> None:
        runs.append(trio.current_time())
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        await keep(service, intensity=Intensity(restarts=5, within=60))
    assert len(runs) == 6


async def test_a_service_that_fails_rarely_goes_on(
    autojump_clock: trio.testing.MockClock,
) -> None:
    runs: list[float] = []
    crashes: list[Exception] = []

    async def service() -> None:
        runs.append(trio.current_time())
        await trio.sleep(100)  # of a clock that jumps
        if len(runs) < 20:
            raise OSError("now and then")

    await keep(service, report=crashes.append)
    assert (len(runs), len(crashes)) == (20, 19)


async def test_pauses_grow_until_a_service_has_lived_longer_than_the_window(
    autojump_clock: trio.testing.MockClock,
) -> None:
    lives, started, ended = iter([0, 0, 60, 61, 0, 0]), [], []

    async def service() -> None:
        started.append(trio.current_time())
        await trio.sleep(next(lives))
        ended.append(trio.current_time())
        if len(ended) < 6:
            raise OSError("no")

    await keep(service, intensity=Intensity(restarts=50, within=60))
    pauses = [after - before for before, after in zip(ended, started[1:], strict=False)]
    assert pauses == [0.5, 1, 2, 0.5, 1]


async def test_a_service_is_given_up_however_long_it_had_lived_before(
    autojump_clock: trio.testing.MockClock,
) -> None:
    lives, runs = iter([1000, 0, 0, 0, 0, 0, 0, 0]), []

    async def service() -> None:
        runs.append(trio.current_time())
        await trio.sleep(next(lives))
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        await keep(service, intensity=Intensity(restarts=5, within=60))
    assert len(runs) == 6


def test_nothing_but_an_actors_inbox_leads_to_its_machine() -> None:
    root = ROOT / "anyond"
    uses = {
        file.relative_to(root).as_posix()
        for file in (*root.glob("actors/**/*.py"), *root.glob("watchers/**/*.py"))
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr in {"handle", "record"}
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == "machine"
    }
    assert uses == {"actors/core.py"}


class SlowlyEnding(EchoActor):
    async def end(self) -> None:
        await trio.lowlevel.checkpoint()
        self.ended = True


async def test_a_cancelled_actor_ends_as_any_other() -> None:
    actor = SlowlyEnding()
    async with trio.open_nursery() as nursery:
        await nursery.start(actor.run)
        nursery.cancel_scope.cancel()
    assert actor.ended


async def test_what_was_answered_is_not_remembered() -> None:
    actor, request = EchoActor(), Echo(1)
    asked = weakref.ref(request)
    async with trio.open_nursery() as nursery:
        await nursery.start(actor.run)
        assert await actor.ask(request) == 1
        del request
        gc.collect()
        assert asked() is None
        nursery.cancel_scope.cancel()
