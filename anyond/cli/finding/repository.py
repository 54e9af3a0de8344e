"""The repository one is in, and the project that it is, or becomes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from anyond.cli.finding.projects import project_at
from anyond.cli.frame.exit_codes import ExitCode
from anyond.cli.frame.failures import CommandFailed
from anyond.cli.frame.session import Session
from anyond.cli.rendering.harmless import in_one_line

if TYPE_CHECKING:
    from anyond.client import BlockingClient
    from anyond.model.rows import Project


class Here(NamedTuple):
    """A repository.

    Args:
        top: of its main checkout; a worktree counts as its repository.
        branch: that is checked out where one is; None if none is.
    """

    top: Path
    branch: str | None


def repository_here() -> Here:
    """The repository of the current directory.

    Raises:
        CommandFailed: there is none.
    """
    common = _git("rev-parse", "--path-format=absolute", "--git-common-dir")
    if common is None:
        raise CommandFailed(
            f"{os.getcwd()} is in no git repository. Go into one, or make one: `git init`.",
            type="no_repository",
        )
    folder = Path(common)
    if folder.name == ".git":
        top: Path | None = folder.parent
    else:  # of a submodule, or a directory of its own that names its checkout
        found = _git("rev-parse", "--path-format=absolute", "--show-toplevel")
        top = Path(found) if found else None
    if top is None:
        raise CommandFailed(
            f"{folder} has no working tree: a bare repository cannot be a project.",
            type="no_repository",
        )
    return Here(top, _git("symbolic-ref", "--short", "-q", "HEAD"))


def project_here(session: Session, client: BlockingClient, here: Here, *, yes: bool) -> Project:
    """The project of a repository; it becomes one if the person agrees.

    Raises:
        CommandFailed: it is none, and nobody has agreed.
    """
    from anyond.api import projects
    from anyond.api.declaration.params import Nothing
    from anyond.model.http.bodies import NewProject

    found = project_at(client, Path.cwd()) or project_at(client, here.top)
    if found is not None:
        return found
    if not yes:
        if not session.can_ask:
            raise CommandFailed(
                f"{here.top} is no project yet. Add --yes to make it one.",
                ExitCode.NEEDS_PERSON,
                "no_project",
            )
        sys.stderr.write(f"Make {in_one_line(str(here.top))} a project of Anyon? [Y/n] ")
        sys.stderr.flush()
        answer = sys.stdin.readline()
        if not answer or answer.strip().lower() not in ("", "y", "yes"):
            raise CommandFailed("Nothing was done.", type="no_project")
    new = NewProject(
        name=here.top.name or "repository", git_repo_path=str(here.top), use_existing_repo=True
    )
    return client.call(projects.CREATE_PROJECT, Nothing(), new)


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, check=False)
    except FileNotFoundError:
        raise CommandFailed("The program `git` was not found.", type="tool_missing") from None
    text = os.fsdecode(done.stdout).strip()
    return text if done.returncode == 0 and text else None
