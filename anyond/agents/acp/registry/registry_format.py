"""The lists in which the Agent Client Protocol's registry tells of agents, made into our own.

The registry says how an agent is downloaded and run at once (an archive, `npx`, `uvx`). Anyon
starts what a person has installed: an entry is read for the name of the program and its arguments.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

import msgspec

from anyond.agents.acp.registry.catalog import MOST, Catalog, KnownAgent
from anyond.agents.json_rpc.jsonrpc import as_dict, as_list, as_text

_OURS = ("linux", "darwin")
_PLATFORM = re.compile(r"[-_.](linux|darwin|macos|x86_64|aarch64|amd64|arm64|x64)$")
_VERSION = re.compile(r"(?<=.)(@|==|>=|~=).*$")


def decode(decoded: object, known: Catalog) -> tuple[list[KnownAgent], list[str]]:
    """The agents of a list of the registry, or of one of ours; and what is wrong with the others.

    Args:
        decoded: decoded JSON, of any kind: `{"agents": [...]}`, or one agent.
        known: tells the programs of agents whose entry names only a package.
    """
    document = as_dict(decoded)
    rows = document.get("agents")
    if rows is None and "id" in document:
        rows = [document]
    if not isinstance(rows, list):
        return [], ["agents must be a list of agents"]
    agents: dict[str, KnownAgent] = {}
    problems = []
    for number, row in enumerate(rows[:MOST]):
        try:
            agent = _agent(as_dict(row), known)
            agents[agent.id] = agent
        except (msgspec.ValidationError, ValueError) as error:
            problems.append(f"agents[{number}]: {error}")
    if len(rows) > MOST:
        problems.append(f"agents: only the first {MOST} of {len(rows)} are taken")
    return list(agents.values()), problems


def _agent(row: Mapping[str, Any], known: Catalog) -> KnownAgent:
    if "command" in row:
        return msgspec.convert(row, KnownAgent)
    return _of_registry(row, known)


def _of_registry(row: Mapping[str, Any], known: Catalog) -> KnownAgent:
    id = as_text(row.get("id"))
    before = known.get(id)
    ways = as_dict(row.get("distribution"))
    program = before.command[0] if before is not None else ""
    website = as_text(row.get("website")) or as_text(row.get("repository"))
    binaries = {
        name: as_dict(one) for name, one in as_dict(ways.get("binary")).items() if _is_ours(name)
    }
    commands: dict[str, tuple[str, ...]] = {}
    if (npx := as_dict(ways.get("npx"))) or (uvx := as_dict(ways.get("uvx"))):
        way = npx or uvx
        package = _VERSION.sub("", as_text(way.get("package")))
        command = (program or package.rsplit("/", 1)[-1], *_arguments(way))
        tool = "npm install -g" if npx else "uv tool install"
        install = f"Install it with `{tool} {package}`."
    elif binaries:
        way = next(iter(binaries.values()))
        commands = {name: _binary(one, program) for name, one in binaries.items()}
        command = next(iter(commands.values()))
        commands = {name: words for name, words in commands.items() if words != command}
        install = f"Install it as {website} says." if website else "Install it."
    else:
        raise ValueError(f"{id or 'it'} says of no way to run it here")
    return msgspec.convert(
        {
            "id": id,
            "name": row.get("name"),
            "command": command,
            "commands": commands,
            "env": as_dict(way.get("env")),
            "install": install if before is None else before.install or install,
            "website": website,
            "login": "" if before is None else before.login,
        },
        KnownAgent,
    )


def _is_ours(platform: str) -> bool:
    return platform.split("-", 1)[0] in _OURS


def _arguments(way: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(as_text(word) for word in as_list(way.get("args")))


def _binary(way: Mapping[str, Any], program: str) -> tuple[str, ...]:
    path, *more = shlex.split(as_text(way.get("cmd"))) or [""]
    name = path.rsplit("/", 1)[-1]
    while name != (shorter := _PLATFORM.sub("", name)):
        name = shorter
    return (program or name, *more, *_arguments(way))
