"""The table of checks, and all of them made at once, each within its bound of time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import trio

from anyond.doctor import (
    agents,
    daemon,
    database,
    directories,
    git_setup,
    github_access,
    limits,
    service_path,
    worktrees,
)
from anyond.doctor.facts import Facts
from anyond.doctor.findings import Finding, Fixed, Level


class Check(NamedTuple):
    """One question to the installation.

    Args:
        name: by which its findings are called.
        look: finds the answer; blocks, and changes nothing.
        timeout_s: seconds after which it is given up.
    """

    name: str
    look: Callable[[Facts], list[Finding]]
    timeout_s: float = 20.0


CHECKS: tuple[Check, ...] = (
    Check("daemon", daemon.answers),
    Check("listeners", daemon.listeners),
    Check("settings", daemon.settings),
    Check("owners", directories.owners),
    Check("modes", directories.modes),
    Check("free_space", directories.free_space),
    Check("file_system", directories.file_system),
    Check("database", database.integrity, timeout_s=120.0),
    Check("backups", database.backups),
    Check("clock", database.clock),
    Check("git", git_setup.program),
    Check("repositories", git_setup.repositories),
    Check("lfs", git_setup.lfs),
    Check("hooks", git_setup.hooks),
    Check("locks", worktrees.locks),
    Check("worktrees", worktrees.worktrees),
    Check("shims", worktrees.shims),
    Check("agents", agents.programs, timeout_s=30.0),
    Check("logins", agents.logins, timeout_s=60.0),
    Check("mcp", agents.mcp_entries),
    Check("path", service_path.path, timeout_s=40.0),
    Check("open_files", limits.open_files),
    Check("inotify", limits.inotify),
    Check("github", github_access.token),
)
"""All checks, in the order in which they are printed."""


async def examine(facts: Facts, checks: Sequence[Check] = CHECKS) -> list[Finding]:
    """Make the checks, all at once; the findings are in their order.

    A check that does not end in time, or fails itself, is a finding. One that hangs for ever goes
    on in its thread, which nobody waits for.
    """
    found: dict[str, list[Finding]] = {}

    async def make(check: Check) -> None:
        with trio.move_on_after(check.timeout_s) as scope:
            try:
                found[check.name] = await trio.to_thread.run_sync(
                    check.look, facts, abandon_on_cancel=True
                )
            except Exception as error:
                # Whatever is wrong with one check, the findings of the others are of use.
                sentence = f"This could not be looked at: {error or type(error).__name__}"
                found[check.name] = [Finding(check.name, Level.WARN, sentence)]
        if scope.cancelled_caught:
            sentence = f"This could not be found out within {check.timeout_s:g} s."
            found[check.name] = [Finding(check.name, Level.WARN, sentence, "Try again.")]

    await trio.to_thread.run_sync(facts.prepare)
    async with trio.open_nursery() as nursery:
        for check in checks:
            nursery.start_soon(make, check)
    return [finding for check in checks for finding in found[check.name]]


def repair(findings: Sequence[Finding]) -> tuple[list[Fixed], list[str]]:
    """Take each step that can be undone; returns what was done, and what could not be. Blocks."""
    done, failed = [], []
    for finding in findings:
        if finding.fix is None:
            continue
        try:
            words, undo = finding.fix.act()
        except OSError as error:
            failed.append(f"{finding.sentence} It cannot be mended: {error}.")
        else:
            done.append(Fixed(finding.check, words, undo))
    return done, failed
