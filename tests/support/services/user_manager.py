"""A person who has just logged in: an empty home, a login shell, and a user manager of systemd."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.paths import ROOT
from tests.support.terminals.pseudo_terminal import PseudoTerminal

_SCRIPT = Path(__file__).with_suffix(".sh")
_PROGRAMS = ("unshare", "nsenter", "systemctl", "systemd-run", "journalctl", "dbus-daemon", "bash")


def why_not() -> str | None:
    """Why there can be no user manager here; None if there can."""
    if sys.platform != "linux":
        return "systemd is of Linux"
    if os.geteuid():
        return "only root can make the namespace in which a user manager is started"
    if Path("/run/systemd/system").exists():
        return "this system has a systemd of its own, which is not to be disturbed"
    missing = [name for name in _PROGRAMS if shutil.which(name) is None]
    if missing or not Path("/lib/systemd/systemd-journald").exists():
        return f"systemd is not installed ({', '.join(missing) or 'systemd-journald'} is missing)"
    if "cgroup2" not in Path("/proc/filesystems").read_text():
        return "the kernel has no control groups of version 2"
    return None


class LoggedIn:
    """The person, and what they can type.

    Args:
        root: a short path, since sockets are below it.
        pid: a process in the namespace of the manager.
    """

    def __init__(self, root: Path, pid: int) -> None:
        self.root = root
        self.home = root / "home"
        self.runtime = root / "run"
        self._enter = ("nsenter", f"--mount=/proc/{pid}/ns/mnt", f"--wdns={self.home}", "--")
        self.environment = {
            "HOME": str(self.home),
            "PATH": f"{root / 'bin'}:/usr/bin:/bin",
            "XDG_RUNTIME_DIR": str(self.runtime),
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={self.runtime / 'bus'}",
            "SHELL": "/bin/bash",
            "GIT_CONFIG_NOSYSTEM": "1",
        }

    def run(
        self, *command: str, cwd: Path | None = None, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """Any command, on pipes."""
        return subprocess.run(
            [*self._enter, "env", "-C", str(cwd or self.home), *command],
            env={**self.environment, **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def anyon(self, *arguments: str) -> str:
        """What `anyon` prints, if all is well."""
        done = self.run("anyon", *arguments)
        assert done.returncode == 0, (done.stdout, done.stderr, self.journal())
        return done.stdout

    def json(self, *arguments: str) -> Any:
        """Its answer in JSON."""
        return json.loads(self.anyon("--json", *arguments))

    def terminal(self, *arguments: str, cwd: Path | None = None) -> PseudoTerminal:
        """`anyon` on a terminal."""
        place = cwd or self.home
        through = (*self._enter, "env", "-C", str(place))
        return PseudoTerminal(*arguments, environment=self.environment, cwd=place, through=through)

    def journal(self) -> str:
        """All that was logged."""
        return self.run("journalctl", "--no-pager", "-n", "60", "_TRANSPORT=stdout").stdout


def free_port() -> int:
    """A port that nobody has at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


@contextmanager
def logged_in() -> Iterator[LoggedIn]:
    """A person at a machine with systemd, while inside; nothing that was started stays."""
    root = Path(tempfile.mkdtemp(prefix="anyon-", dir="/tmp"))
    (root / "home").mkdir()
    (root / "run").mkdir(mode=0o700)
    # As pipx and uv put it into PATH.
    (root / "bin").mkdir()
    command = root / "bin" / "anyon"
    command.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\n"
        "from anyond.cli import main\nmain()\n"
    )
    command.chmod(0o755)
    (root / "home" / ".gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@localhost\n")
    program = subprocess.Popen(
        ["unshare", "--mount", "bash", str(_SCRIPT), str(root / "run")],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(root / "home")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert program.stdin is not None
    assert program.stdout is not None
    try:
        answer = program.stdout.readline()
        assert answer == "ready\n", answer + program.stdout.read()
        yield LoggedIn(root, program.pid)
    finally:
        program.stdin.close()
        program.wait(60)
        program.stdout.close()
        shutil.rmtree(root, ignore_errors=True)
