"""The agents of the Agent Client Protocol that are known by name: how to start and install each.

`agents.json` beside this file is a snapshot that is shipped with Anyon; a person can lay a newer
one over it (`anyon agents refresh`). Nothing here ever fetches anything.
"""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from anyond.model.refusals.requests import Impossible

MOST = 2000
"""Agents that a list may have."""

_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_Text = Annotated[str, Meta(max_length=1000, pattern=r"^[^\x00-\x1f\x7f]*$")]
_Words = Annotated[tuple[_Text, ...], Meta(max_length=50)]


class KnownAgent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One agent.

    Args:
        id: as the protocol's registry calls it.
        command: the program and the arguments that make it speak the protocol.
        commands: what is started instead on a platform, by names such as `linux-x86_64`.
        env: what the program needs in its environment.
        install: one sentence that tells how to get it.
        website: where its makers tell about it.
        login: one sentence that tells how to log in; "" if only the agent itself knows.
    """

    id: str
    name: Annotated[_Text, Meta(min_length=1)]
    command: _Words
    commands: dict[str, _Words] = {}
    env: dict[_Text, _Text] = {}
    install: _Text = ""
    website: _Text = ""
    login: _Text = ""

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise ValueError("its id is not of lower-case letters, digits, '.', '_' and '-'")
        for words in (self.command, *self.commands.values()):
            if not words or not words[0] or words[0].startswith("-"):
                raise ValueError("its command names no program")
        if any(not name or "=" in name for name in self.env):
            raise ValueError("a variable of its env has no name")

    @property
    def here(self) -> Sequence[str]:
        """The command on this machine."""
        return self.commands.get(machine(), self.command)


class Catalog:
    """Known agents by their ids: those that are shipped, and over them those of a person.

    Args:
        shipped: those that are shipped, by their ids; called when somebody wants to know them.
    """

    def __init__(self, shipped: Callable[[], Mapping[str, KnownAgent]]) -> None:
        self._shipped = shipped
        self._merged: Mapping[str, KnownAgent] | None = None

    def __iter__(self) -> Iterator[KnownAgent]:
        return iter(sorted(self._agents.values(), key=lambda agent: agent.id))

    def __len__(self) -> int:
        return len(self._agents)

    def lay_over(self, agents: Iterable[KnownAgent]) -> None:
        """Let these replace those of their ids, and join the others; the former ones go."""
        self._merged = {**self._shipped(), **{agent.id: agent for agent in agents}}

    def get(self, name: str) -> KnownAgent | None:
        """The agent of that id, however it is capitalized."""
        return self._agents.get(name.strip().lower())

    def find(self, name: str) -> KnownAgent:
        """The agent of that id.

        Raises:
            Impossible: there is none; the error names the option `agent`, and what is meant
                perhaps.
        """
        found = self.get(name)
        if found is None:
            alike = self._alike(name.strip().lower()[:100])
            meant = f"; perhaps {' or '.join(alike)} is meant" if alike else ""
            raise Impossible(
                "agent",
                f"{name[:100]!r} is not an agent that Anyon knows by name{meant}. GET /api/info "
                "lists those as acp_agents; any other is named by base_command_override.",
            )
        return found

    @property
    def _agents(self) -> Mapping[str, KnownAgent]:
        merged = self._merged
        return self._shipped() if merged is None else merged

    def _alike(self, name: str) -> list[str]:
        from difflib import get_close_matches  # for a name that was mistyped

        parts = [one for one in sorted(self._agents) if name and (name in one or one in name)]
        close = get_close_matches(name, sorted(self._agents), n=3, cutoff=0.6)
        return list(dict.fromkeys([*close, *parts]))[:3]


@cache
def machine() -> str:
    """This machine's platform, as the snapshot calls it: `linux-x86_64`, `darwin-aarch64`."""
    known = {"amd64": "x86_64", "arm64": "aarch64"}
    processor = platform.machine().lower()
    return f"{sys.platform}-{known.get(processor, processor)}"


def decode(decoded: object) -> tuple[list[KnownAgent], list[str]]:
    """The agents of a list as `encode` makes it, and what is wrong with those that are left out.

    Args:
        decoded: decoded JSON, of any kind.
    """
    agents: dict[str, KnownAgent] = {}
    problems = []
    rows = decoded.get("agents") if isinstance(decoded, dict) else None
    if not isinstance(rows, list):
        return [], ["agents must be a list of agents"]
    for number, row in enumerate(rows[:MOST]):
        try:
            agent = msgspec.convert(row, KnownAgent)
            agents[agent.id] = agent
        except (msgspec.ValidationError, RecursionError) as error:
            problems.append(f"agents[{number}]: {error}")
    if len(rows) > MOST:
        problems.append(f"agents: only the first {MOST} of {len(rows)} are taken")
    return list(agents.values()), problems


def encode(agents: Iterable[KnownAgent]) -> dict[str, Any]:
    """A list of agents as it is kept in a file."""
    rows = [msgspec.to_builtins(agent) for agent in sorted(agents, key=lambda agent: agent.id)]
    return {"version": 1, "agents": rows}


@cache
def _shipped() -> Mapping[str, KnownAgent]:
    content = Path(__file__).with_name("agents.json").read_bytes()
    agents, problems = decode(msgspec.json.decode(content))
    assert not problems, problems
    return {agent.id: agent for agent in agents}


CATALOG = Catalog(_shipped)
"""All that are known now."""
