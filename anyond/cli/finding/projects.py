"""Projects as people name them, and the project of the directory one is in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from anyond.cli.frame.failures import CommandFailed
from anyond.cli.rendering.harmless import in_one_line

if TYPE_CHECKING:
    from anyond.client import BlockingClient
    from anyond.model.rows import Project


def find_project(client: BlockingClient, name: str) -> Project:
    """The project with that id, name or path.

    Raises:
        CommandFailed: there is none, or several.
    """
    from anyond.api import projects

    every = client.call(projects.LIST_PROJECTS)
    for way in (
        [one for one in every if one.id == name.lower()],
        [one for one in every if one.git_repo_path == os.path.abspath(name)],
        [one for one in every if one.name == name],
        [one for one in every if one.name.lower() == name.lower()],
        [one for one in every if len(name) >= 3 and one.id.startswith(name.lower())],
    ):
        if len(way) == 1:
            return way[0]
        if way:
            listed = "\n".join(f"  {one.id}  {in_one_line(one.git_repo_path)}" for one in way)
            raise CommandFailed(
                f"`{in_one_line(name)}` can mean {len(way)} projects:\n{listed}", type="ambiguous"
            )
    raise CommandFailed(
        f"There is no project `{in_one_line(name)}`. `anyon projects` lists all.",
        type="not_found",
    )


def project_at(client: BlockingClient, directory: Path) -> Project | None:
    """The project whose repository `directory` lies in, the innermost; None if there is none."""
    from anyond.api import projects

    place = os.path.realpath(directory)
    holding = [
        one
        for one in client.call(projects.LIST_PROJECTS)
        if os.path.commonpath([place, path := os.path.realpath(one.git_repo_path)]) == path
    ]
    return max(holding, key=lambda one: len(one.git_repo_path), default=None)
