"""The daemon as a launchd agent of macOS."""

from __future__ import annotations

import os
import plistlib
import re
from pathlib import Path

from anyond.model.refusals.daemon import ServiceConflict
from anyond.service.manager import Setup, State, run
from anyond.service.written_files import Recipe, marked


class Launchd:
    """The launchd of the person's session."""

    name = "launchd"
    unit = "dev.anyon.daemon"

    @property
    def log(self) -> Path:
        """The file that the daemon logs to."""
        return Path.home() / "Library" / "Logs" / "anyon.log"

    def places(self) -> tuple[Path, ...]:
        """The agent's property list."""
        return (Path.home() / "Library" / "LaunchAgents" / f"{self.unit}.plist",)

    def contents(self, setup: Setup) -> dict[Path, str]:
        """The agent."""
        agent = {
            "Label": self.unit,
            "ProgramArguments": [*setup.program, "serve", *setup.recipe.arguments],
            "EnvironmentVariables": {"PATH": setup.path, **setup.environment},
            "RunAtLoad": True,
            # It is started again after a failure, not after a stop.
            "KeepAlive": {"SuccessfulExit": False},
            "ThrottleInterval": 10,
            "ExitTimeOut": 30,
            # Agents outlive the daemon.
            "AbandonProcessGroup": True,
            "SoftResourceLimits": {"NumberOfFiles": 65536},
            "StandardErrorPath": str(self.log),
        }
        text = plistlib.dumps(agent, sort_keys=False).decode()
        return {self.places()[0]: marked(text, setup.recipe, xml=True)}

    def demand(self, recipe: Recipe, *, linger: bool) -> None:
        """Refuse what launchd has not.

        Raises:
            ServiceConflict: a socket, or lingering, is asked for.
        """
        if recipe.socket:
            raise ServiceConflict("launchd cannot open the port for Anyon; leave out --socket.")
        if linger:
            raise ServiceConflict("launchd ends agents with the session; leave out --linger.")

    def activate(self, recipe: Recipe) -> None:
        """Load the agent, which starts it.

        Raises:
            Unavailable: launchd does not want to.
        """
        self.deactivate()
        run(["launchctl", "enable", self._target])
        run(["launchctl", "bootstrap", self._domain, str(self.places()[0])])

    def deactivate(self) -> None:
        """Unload the agent, if it is loaded, which ends the daemon.

        Raises:
            Unavailable: launchd does not want to.
        """
        if run(["launchctl", "print", self._target], check=False).returncode == 0:
            run(["launchctl", "bootout", self._target])

    def forget(self) -> None:
        """Nothing: launchd forgets an agent when it is unloaded."""

    def restart(self) -> None:
        """Restart the daemon; agents go on.

        Raises:
            ServiceConflict: there is no such agent.
            Unavailable: launchd does not want to.
        """
        if run(["launchctl", "print", self._target], check=False).returncode:
            raise ServiceConflict("There is no service. `anyon service install` makes one.")
        run(["launchctl", "kickstart", "-k", self._target])

    def state(self) -> State:
        """The state that launchd prints.

        Raises:
            Unavailable: launchctl is not there.
        """
        done = run(["launchctl", "print", self._target], check=False)
        return state_of(done.stdout if done.returncode == 0 else "")

    def keep_after_logout(self) -> None:
        """Nothing: it was refused before."""

    def log_command(self, lines: int, *, follow: bool) -> list[str]:
        """The end of the log file."""
        return ["tail", "-n", str(lines), *(["-F"] if follow else []), str(self.log)]

    @property
    def _domain(self) -> str:
        return f"gui/{os.getuid()}"

    @property
    def _target(self) -> str:
        return f"{self._domain}/{self.unit}"


def state_of(printed: str) -> State:
    """Read what `launchctl print` says about an agent; empty if there is none."""
    if not printed.strip():
        return State(False, "not loaded", None, False)
    state = re.search(r"^\s*state = (.+)$", printed, re.MULTILINE)
    pid = re.search(r"^\s*pid = (\d+)$", printed, re.MULTILINE)
    words = state[1].strip() if state else "unknown"
    return State(words == "running", words, int(pid[1]) if pid else None, True)
