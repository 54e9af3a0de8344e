"""Starting programs that are the person's from then on, such as an editor."""

from __future__ import annotations

import os
import subprocess

import trio

from anyond.model.launch import Launch
from anyond.model.refusals.programs import ToolFailed
from anyond.model.refusals.requests import NotFound
from anyond.open_files import give_back
from anyond.procs.launch_spec import final_environment, find_program


async def start(launch: Launch) -> trio.Process:
    """Start a program in a session of its own, with no output and nothing to read.

    It is not ended with the daemon. Whoever calls this must wait for it some time, so that it
    leaves no zombie.

    Raises:
        ProgramMissing: the program is not there.
        NotFound: the directory to start it in is gone.
        ToolFailed: it is there, but cannot be started.
    """
    environment = final_environment(launch)
    program = find_program(launch, environment)
    try:
        process = await trio.lowlevel.open_process(
            [program, *launch.argv[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=launch.cwd,
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        if not await trio.to_thread.run_sync(os.path.isdir, launch.cwd):
            raise NotFound("directory", launch.cwd) from error
        text = f"{launch.argv[0]} could not be started: {error.strerror}."
        raise ToolFailed(launch.argv[0], text) from error
    give_back(process.pid)
    return process
