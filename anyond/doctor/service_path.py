"""Check of PATH: whether the daemon looks for agents where the person's terminal does."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence

import psutil

from anyond.agents.common.core import Turn
from anyond.agents.roster import AGENTS
from anyond.doctor.facts import Facts
from anyond.doctor.findings import Finding, Level, ok
from anyond.model.errors import AnyondError
from anyond.service.login_shell import login_path
from anyond.service.manager import of_this_system
from anyond.service.written_files import Authorship, examine

_MORE_PROGRAMS = ("git", "node", "npm", "npx", "python3", "uv", "cargo", "go", "make", "docker")


def path(facts: Facts) -> list[Finding]:
    """Check whether the daemon finds the programs that a terminal finds."""
    daemons = _path_of_daemon(facts)
    if daemons is None:
        return ok("path", "No daemon runs; the next one has the PATH of whoever starts it.")
    terminal = login_path(facts.environ)
    missing = [
        name
        for name in _programs()
        if shutil.which(name, path=terminal.path) and not shutil.which(name, path=daemons)
    ]
    is_service = examine(of_this_system().places()[0]).authorship is Authorship.OURS
    remedy = (
        "`anyon service install` takes over the PATH of your terminal; agents go on."
        if is_service
        else "`anyon restart` in a terminal, or `anyon service install`; agents go on."
    )
    if missing:
        sentence = f"A terminal finds {', '.join(missing)}, and the daemon does not."
        return [Finding("path", Level.FAIL, sentence, remedy)]
    more = [part for part in terminal.path.split(":") if part not in daemons.split(":")]
    if more and is_service:
        sentence = f"The PATH of your terminal has {', '.join(more)}, that of the service has not."
        return [Finding("path", Level.WARN, sentence, remedy)]
    return ok("path", "The daemon finds the programs that a terminal finds.")


def _path_of_daemon(facts: Facts) -> str | None:
    file = facts.daemon_file
    if file is None:
        return None
    try:
        found: str = psutil.Process(file.pid).environ().get("PATH", "")
    except psutil.Error:
        return None
    return found


def _programs() -> Sequence[str]:
    """The first words of what starts each agent, and what agents use."""
    found: list[str] = []
    for agent in AGENTS.values():
        try:
            found.append(agent.launch(Turn(prompt="", cwd="/", options={})).argv[0])
        except AnyondError:
            continue  # it has no program of its own until a variant names one
    plain = (name for name in (*found, *_MORE_PROGRAMS) if os.sep not in name)
    return list(dict.fromkeys(plain))
