"""Resolving a `Launch` on this machine: the final environment, and the file that is run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping

from anyond.model.configuration.environment import personal
from anyond.model.launch import Launch
from anyond.model.refusals.programs import ProgramMissing


def final_environment(launch: Launch) -> dict[str, str]:
    """Return the person's part of the daemon's environment, with the launch's laid over it.

    None removes a variable. Whatever else the daemon was started with stays with the daemon.
    """
    merged = {**personal(os.environ), "PWD": launch.cwd, **launch.env}
    return {name: value for name, value in merged.items() if value is not None}


def find_program(launch: Launch, environment: Mapping[str, str]) -> str:
    """The absolute path of the program.

    A name is looked up in PATH of `environment`; a path, and what is relative in PATH, is meant
    relative to the directory in which it will run.

    Raises:
        ProgramMissing: it is not there.
    """
    name = launch.argv[0]
    if "/" in name:
        path = os.path.join(launch.cwd, name)
        # Whether it can be run is for the system to say; it gives the better reason.
        if os.path.exists(path) or not os.path.isdir(launch.cwd):
            return path
        raise ProgramMissing(name, [path], launch.install)
    directories = environment.get("PATH", os.defpath).split(os.pathsep)
    directories = [os.path.join(launch.cwd, place) for place in directories if place]
    found = shutil.which(name, path=os.pathsep.join(directories)) if name and directories else None
    if found is None:
        raise ProgramMissing(name, directories, launch.install)
    return found
