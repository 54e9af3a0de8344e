"""The daemon as a systemd user unit, and the socket unit that can stand in front of it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from anyond.model.errors import Unavailable
from anyond.model.refusals.daemon import ServiceConflict
from anyond.service.manager import Setup, State, run
from anyond.service.written_files import Recipe, marked

_SERVICE = """\
[Unit]
Description=Anyon, which runs coding agents and never loses their work
StartLimitIntervalSec=60
StartLimitBurst=5

[Service]
Type=notify
NotifyAccess=main
ExecStart={command}
{environment}
# Wrong usage (2) and a daemon that is already there (3) do not get better by trying again.
Restart=on-failure
RestartSec=2
RestartPreventExitStatus=2 3
# The daemon reports from its own event loop: a loop that stands still is restarted.
WatchdogSec=60
TimeoutStopSec=30

# Agents outlive the daemon: a stop or restart of this unit ends the daemon and nothing else. The
# next daemon finds its agents again. To stop an agent, ask Anyon.
KillMode=process
# What agents start may make control groups of its own (containers, test runners).
Delegate=yes
# An agent that eats all memory is killed alone.
OOMPolicy=continue
LimitNOFILE=65536

# Hardening that no build needs to be without. If agents must become root, say so in a file of
# your own: `systemctl --user edit anyond`, [Service], NoNewPrivileges=no.
NoNewPrivileges=yes
RestrictRealtime=yes
LimitCORE=0:infinity

[Install]
WantedBy=default.target
"""

_SOCKET = """\
[Unit]
Description=The port of Anyon

[Socket]
ListenStream={address}
FileDescriptorName=http
Service=anyond.service

[Install]
WantedBy=sockets.target
"""

_FIELDS = ("ActiveState", "SubState", "MainPID", "UnitFileState", "LoadState")


class Systemd:
    """The user manager of systemd."""

    name = "systemd"
    unit = "anyond.service"
    socket_unit = "anyond.socket"

    def places(self) -> tuple[Path, ...]:
        """The service, and the socket."""
        root = os.environ.get("XDG_CONFIG_HOME", "")
        base = Path(root) if os.path.isabs(root) else Path.home() / ".config"
        folder = base / "systemd" / "user"
        return folder / self.unit, folder / self.socket_unit

    def contents(self, setup: Setup) -> dict[Path, str]:
        """The service, and the socket if it is asked for."""
        service, socket = self.places()
        words = [*setup.program, "serve", *setup.recipe.arguments]
        command = " ".join([_quoted(words[0], expanded=False), *map(_quoted, words[1:])])
        variables = {"PATH": setup.path, **setup.environment}
        environment = "\n".join(
            f"Environment={_quoted(f'{name}={value}', expanded=False)}"
            for name, value in variables.items()
        )
        text = _SERVICE.format(command=command, environment=environment)
        found = {service: marked(text, setup.recipe)}
        if setup.recipe.socket:
            found[socket] = marked(_SOCKET.format(address=setup.address), setup.recipe)
        return found

    def demand(self, recipe: Recipe, *, linger: bool) -> None:
        """Refuse without a user manager.

        Raises:
            Unavailable: there is none, or it does not answer.
        """
        if shutil.which("systemctl") is None:
            raise Unavailable(
                "This system has no systemd. `anyon serve` runs the daemon; any service manager"
                " can start it."
            )
        done = run(["systemctl", "--user", "show-environment"], check=False)
        if done.returncode:
            raise Unavailable(
                f"No user manager of systemd answers here ({done.stderr.strip()}). Log in as"
                " yourself (not by su or sudo), or run `anyon serve`."
            )

    def activate(self, recipe: Recipe) -> None:
        """Read the units, enable the one that starts it, and start it.

        Raises:
            Unavailable: systemd does not want to.
        """
        self._systemctl("daemon-reload")
        if recipe.socket:
            self._systemctl("disable", self.unit)
            # The port is free for the socket only while no daemon has it.
            self._systemctl("stop", self.unit)
            self._systemctl("enable", self.socket_unit)
            self._systemctl("restart", self.socket_unit)
        else:
            self._systemctl("enable", self.unit)
            self._systemctl("restart", "--no-block", self.unit)

    def deactivate(self) -> None:
        """Stop both units, and enable them no more.

        Raises:
            Unavailable: systemd does not want to.
        """
        for unit in (self.socket_unit, self.unit):
            if self._show(unit)["LoadState"] == "loaded":
                self._systemctl("disable", "--now", unit)

    def forget(self) -> None:
        """Have systemd forget units that are gone.

        Raises:
            Unavailable: systemd does not want to.
        """
        self._systemctl("daemon-reload")
        # A failure of former days is forgotten too; where there was none, that is none.
        run(["systemctl", "--user", "reset-failed", self.unit, self.socket_unit], check=False)

    def restart(self) -> None:
        """Restart the daemon; agents go on.

        Raises:
            ServiceConflict: there is no such unit.
            Unavailable: systemd does not want to.
        """
        if self._show(self.unit)["LoadState"] != "loaded":
            raise ServiceConflict("There is no service. `anyon service install` makes one.")
        self._systemctl("restart", "--no-block", self.unit)

    def state(self) -> State:
        """The states of the service and its socket.

        Raises:
            Unavailable: systemd does not answer.
        """
        found, socket = self._show(self.unit), self._show(self.socket_unit)
        words = f"{found['ActiveState']} ({found['SubState']})"
        if socket["ActiveState"] == "active" and found["ActiveState"] != "active":
            words = "waiting for the first request"
        pid = int(found["MainPID"] or 0)
        at_login = "enabled" in (found["UnitFileState"], socket["UnitFileState"])
        return State(found["ActiveState"] == "active", words, pid or None, at_login)

    def keep_after_logout(self) -> None:
        """Enable lingering.

        Raises:
            Unavailable: the system does not want to.
        """
        run(["loginctl", "enable-linger"])

    def log_command(self, lines: int, *, follow: bool) -> list[str]:
        """The journal of the unit."""
        command = ["journalctl", f"--user-unit={self.unit}", f"--lines={lines}", "--output=cat"]
        return [*command, "--follow"] if follow else [*command, "--no-pager"]

    def _systemctl(self, *arguments: str) -> None:
        run(["systemctl", "--user", *arguments])

    def _show(self, unit: str) -> dict[str, str]:
        done = run(["systemctl", "--user", "show", unit, "--property", ",".join(_FIELDS)])
        found = dict.fromkeys(_FIELDS, "")
        for line in done.stdout.splitlines():
            name, _, value = line.partition("=")
            found[name] = value
        return found


def _quoted(word: str, *, expanded: bool = True) -> str:
    """A word of a unit, whatever is in it; `expanded`: where `$` means a variable."""
    word = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    word = word.replace("\n", "\\n").replace("$", "$$" if expanded else "$")
    return f'"{word}"'
