"""The directories and files of Anyon."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

import platformdirs
from msgspec import Struct

from anyond.model.configuration.variables import Variable
from anyond.model.errors import Unavailable


class AppPaths(Struct, frozen=True):
    """The three directories of one daemon, absolute.

    Args:
        config_dir: what a person sets: `config.json`, `profiles.json`.
        data_dir: what Anyon must not lose: database, executions, worktrees, images.
        runtime_dir: what is true only while a daemon runs.
    """

    config_dir: Path
    data_dir: Path
    runtime_dir: Path

    @classmethod
    def of(cls, environ: Mapping[str, str] | None = None) -> AppPaths:
        """The places of this user: the platform's own, unless `ANYON_*_DIR` say otherwise.

        A data directory chosen by hand brings its runtime directory along (unless that is chosen
        too), so that two daemons on two data directories never overwrite each other's files.
        """
        environ = os.environ if environ is None else environ
        config = _chosen(environ, Variable.CONFIG_DIR)
        data = _chosen(environ, Variable.DATA_DIR)
        runtime = _chosen(environ, Variable.RUNTIME_DIR)
        if runtime is None and data is None:
            runtime = _session_runtime(environ)
        data = data or platformdirs.user_data_path("anyon", appauthor=False)
        return cls(
            config_dir=config or platformdirs.user_config_path("anyon", appauthor=False),
            data_dir=data,
            runtime_dir=runtime or data / "run",
        )

    @classmethod
    def under(cls, root: Path) -> AppPaths:
        """Places that share nothing with anybody's: all of them below `root`."""
        root = root.absolute()
        return cls(config_dir=root / "config", data_dir=root / "data", runtime_dir=root / "run")

    def create(self) -> None:
        """Make the directories that are missing, for their owner only; the others stay as they are.

        Raises:
            Unavailable: one of them cannot be made, or not be used.
        """
        for directory in (
            self.config_dir,
            self.data_dir,
            self.runtime_dir,
            self.executions,
            self.images,
        ):
            name = os.fsencode(directory).decode("utf-8", "replace")
            if name != str(directory):
                raise Unavailable(
                    f"The directory {name} cannot be used: its name is not UTF-8, so that neither "
                    f"clients nor the database could be told where anything in it is."
                )
            try:
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise Unavailable(
                    f"The directory {directory} cannot be made: {error.strerror}. "
                    f"Set {self._variable(directory)} in the environment to name another one."
                ) from error
            # A configuration that somebody else writes is read all the same.
            usable = os.access(directory, os.R_OK | os.W_OK | os.X_OK)
            if directory != self.config_dir and not usable:
                raise Unavailable(
                    f"The directory {directory} may not be read and written by whoever runs Anyon."
                )

    def _variable(self, directory: Path) -> str:
        """The environment variable that puts a directory elsewhere."""
        if directory == self.config_dir:
            return Variable.CONFIG_DIR
        chosen = directory == self.runtime_dir and not directory.is_relative_to(self.data_dir)
        return Variable.RUNTIME_DIR if chosen else Variable.DATA_DIR

    @property
    def config(self) -> Path:
        return self.config_dir / "config.json"

    @property
    def profiles(self) -> Path:
        return self.config_dir / "profiles.json"

    @property
    def acp_agents(self) -> Path:
        return self.config_dir / "acp-agents.json"

    @property
    def database(self) -> Path:
        return self.data_dir / "anyon.db"

    @property
    def executions(self) -> Path:
        return self.data_dir / "executions"

    @property
    def images(self) -> Path:
        return self.data_dir / "images"

    @property
    def set_aside(self) -> Path:
        """The directory of files that no row has been about for a month, and of those that git
        could not take from deleted worktrees.
        """
        return self.data_dir / "set-aside"

    @property
    def user_id(self) -> Path:
        return self.data_dir / "user_id"

    @property
    def token(self) -> Path:
        return self.config_dir / "token"

    @property
    def lock(self) -> Path:
        return self.data_dir / "daemon.lock"

    @property
    def daemon_file(self) -> Path:
        return self.runtime_dir / "daemon.json"

    @property
    def replaced(self) -> tuple[Path, ...]:
        """The single files that are replaced as a whole whenever they change."""
        return (
            self.config,
            self.profiles,
            self.acp_agents,
            self.token,
            self.user_id,
            self.daemon_file,
        )

    @property
    def demo(self) -> Path:
        """The directory in which the demo has everything of its own, for `AppPaths.under`."""
        return self.data_dir / "demo"

    def worktrees(self, workspace_dir: str | None = None) -> Path:
        """The root of all worktrees; `workspace_dir` is the setting of that name."""
        return (Path(workspace_dir) if workspace_dir else self.data_dir) / "worktrees"


def _chosen(environ: Mapping[str, str], name: str) -> Path | None:
    text = environ.get(name, "").strip()
    return Path(os.path.abspath(os.path.expanduser(text))) if text else None


def _session_runtime(environ: Mapping[str, str]) -> Path | None:
    root = environ.get("XDG_RUNTIME_DIR", "")
    if not os.path.isabs(root):
        return None
    try:
        found = os.stat(root)
    except OSError:
        return None  # named but not there (a login without a session): the data directory serves
    # After `su` the variable may still name another user's directory.
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    return Path(root) / "anyon" if ours else None
