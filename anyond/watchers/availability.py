"""Agents that can be started on this machine: the paths of their programs, and the versions."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping

import trio
from msgspec import Struct
from msgspec.structs import replace

from anyond import __version__
from anyond.agents.acp.registry.catalog import CATALOG, KnownAgent
from anyond.agents.common.core import Turn
from anyond.agents.roster import AGENTS
from anyond.model.configuration.settings import Executor, ExecutorProfileId
from anyond.model.errors import AnyondError
from anyond.model.http.answers import AcpAgent, Availability
from anyond.model.http.offers import Offers
from anyond.model.launch import Launch
from anyond.model.refusals.programs import ProgramMissing
from anyond.procs.capture import capture
from anyond.procs.launch_spec import final_environment, find_program
from anyond.settings.acp_agents import AcpAgentsFile
from anyond.settings.profiles import Profiles
from anyond.store.engine.database import Store
from anyond.store.runs import offers

SEARCH = 0.5
"""Seconds in which the programs are found; a directory in PATH may lie on a dead network."""

ANSWER = 20.0
"""Seconds that a program may take to tell its version, on a machine that is very busy."""

MOST = 64 * 1024
"""Bytes that it may say about it."""

LASTING = 24 * 3600.0
"""Seconds after which a version is asked for again: the file may start others that change."""

SOON = 600.0
"""Seconds after which a program that gave no version is asked again."""

# They start some other program, and their own version says nothing about that one.
_STARTERS = re.compile(
    r"(npx|pnpx|bunx|bun|deno|node|uvx?|pipx|python[0-9.]*|env|sh|bash|zsh|fish|nice|sudo|ssh"
    r"|docker|podman|ccr)"
)
_VERSION = re.compile(r"(?<![\w.])v?(\d+\.\d+[\w.+-]*)")


class _Program(Struct, frozen=True):
    """One file that can be run, as it is now."""

    path: str
    stamp: tuple[int, int, int]
    environment: tuple[tuple[str, str], ...]


class _Answer(Struct, frozen=True):
    version: str | None
    problem: str | None
    until: float


class Agents:
    """Looks for the programs whenever it is asked; asks them for their versions in the background.

    An answer is never kept waiting for a program: the version of one that was not asked before is
    unknown in the first answer, and there in a later one.

    Args:
        profiles: the variants; the program is that of the variant DEFAULT.
        named: the file that may name more agents of the executor ACP than are shipped.
        store: has what these have offered.
    """

    def __init__(
        self,
        profiles: Profiles,
        named: AcpAgentsFile | None = None,
        store: Store | None = None,
    ) -> None:
        self._profiles = profiles
        self._named = named
        self._store = store
        self._answers: dict[_Program, _Answer] = {}
        self._pending: dict[_Program, None] = {}
        self._wake = trio.Event()

    async def availability(self) -> Mapping[str, Availability]:
        """All agents by their names; quick, whatever the programs are."""
        found: dict[Executor, tuple[Availability, _Program | None]] = {}
        with trio.move_on_after(SEARCH):
            found = await trio.to_thread.run_sync(self._search, abandon_on_cancel=True)
        lost = Availability(available=False, problem="Its program could not be looked for in time.")
        return {
            name.value: self._with_version(*found.get(name, (lost, None)))
            for name in Executor
            if name in AGENTS
        }

    async def acp_agents(self) -> list[AcpAgent]:
        """The agents that the executor ACP knows by their names; quick, whatever PATH is."""
        reported: Mapping[str, Offers] = {}
        if self._store is not None:
            reported = await self._store.read(lambda r: offers.of_executor(r, Executor.ACP))
        paths: Mapping[str, str | None] = {}
        with trio.move_on_after(SEARCH):
            paths = await trio.to_thread.run_sync(self._search_named, abandon_on_cancel=True)
        return [
            _named(known, paths.get(known.id), reported.get(known.id, Offers()))
            for known in CATALOG
        ]

    async def run(self) -> None:
        """Ask the programs, one after the other, whenever somebody wants to know; for ever."""
        while True:
            while self._pending:
                program = next(iter(self._pending))
                answer = await _ask(program)
                # An older state of the same file is of no use to anybody any more.
                for known in [known for known in self._answers if known.path == program.path]:
                    if known.stamp != program.stamp:
                        del self._answers[known]
                self._answers[program] = answer
                del self._pending[program]
            self._wake = trio.Event()
            await self._wake.wait()

    def _with_version(self, found: Availability, program: _Program | None) -> Availability:
        if program is None:
            return found
        answer = self._answers.get(program)
        if answer is None or trio.current_time() > answer.until:
            self._pending[program] = None
            self._wake.set()
        if answer is None:
            return found
        return replace(found, version=answer.version, problem=answer.problem)

    # ------------------------------------------------------------ in a thread

    def _search(self) -> dict[Executor, tuple[Availability, _Program | None]]:
        return {executor: self._look(executor) for executor in AGENTS}

    def _search_named(self) -> dict[str, str | None]:
        if self._named is not None:
            self._named.load()
        path = final_environment(Launch(argv=("true",), cwd="/")).get("PATH", os.defpath)
        return {known.id: shutil.which(known.here[0], path=path) for known in CATALOG}

    def _look(self, executor: Executor) -> tuple[Availability, _Program | None]:
        try:
            options = self._profiles.variant(ExecutorProfileId(executor=executor))
            turn = Turn(prompt="", cwd="/", options=options)
            launch = AGENTS[executor].launch(turn)
            environment = final_environment(launch)
            path = find_program(launch, environment)
            stat = os.stat(path)
        except ProgramMissing as error:
            text = f"The program {error.program!r} was not found. {error.install}"
            return Availability(available=False, problem=text.strip()), None
        except AnyondError as error:
            return Availability(available=False, problem=str(error)), None
        except OSError as error:
            return Availability(available=False, problem=f"Not found: {error.strerror}."), None
        if not os.access(path, os.X_OK):
            problem = f"{path} is not a program that can be run."
            return Availability(available=False, path=path, problem=problem), None
        if executor is Executor.DEMO:
            return Availability(available=True, path=path, version=__version__), None
        there = Availability(available=True, path=path)
        if _STARTERS.fullmatch(os.path.basename(path)):
            return there, None
        stamp = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        return there, _Program(path, stamp, tuple(sorted(environment.items())))


def _named(known: KnownAgent, path: str | None, reported: Offers) -> AcpAgent:
    return AcpAgent(
        id=known.id,
        name=known.name,
        available=path is not None,
        path=path,
        command=known.here,
        install=known.install,
        website=known.website,
        modes=reported.modes,
        models=reported.models,
        more=reported.more,
    )


async def _ask(program: _Program) -> _Answer:
    version = problem = None
    name = os.path.basename(program.path)
    try:
        words = await capture(
            (program.path, "--version"), dict(program.environment), seconds=ANSWER, most=MOST
        )
    except AnyondError as error:
        problem = str(error)
    else:
        match = _VERSION.search(words.text[:2000])
        if words.cut:
            problem = f"{name} --version says far too much."
        elif words.code is None:
            problem = f"{name} --version did not end within {ANSWER:g} s."
        elif words.code:
            problem = f"{name} --version failed with {words.code}: {_line(words.text)}"
        elif match is None:
            problem = f"{name} --version names no version: {_line(words.text)}"
        else:
            version = match[1][:100]
    lasting = SOON if version is None else LASTING
    return _Answer(version, problem, trio.current_time() + lasting)


def _line(text: str) -> str:
    """The first line that says something, cut."""
    lines = (line.strip() for line in text.splitlines())
    return next((line[:200] for line in lines if line), "it said nothing")
