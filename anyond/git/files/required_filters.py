"""Refusing to write files whose filter is missing, before git has begun.

Git takes the old file away, asks the filter for the new one, and dies if a required one is not
there. What it has written by then stays, in the checkout of a person perhaps.
"""

from __future__ import annotations

import os
from pathlib import Path

import trio

from anyond.git.files import attributes
from anyond.git.program import configuration, refusals
from anyond.git.program.command import git
from anyond.git.program.parsing import parsed
from anyond.git.program.text import join, split
from anyond.model.refusals.git import FilterMissing


async def refuse_missing(checkout: Path, before: str, after: str) -> None:
    """Make sure that git can write what `after` has and `before` has not.

    Raises:
        FilterMissing: some of it goes through a required filter that is not there.
    """
    # As git will see it: what is withheld is not required.
    result = await git(*configuration.LIST, cwd=checkout)
    filters = refusals.by_filter(configuration.parse(result.out))
    path = os.environ.get("PATH", os.defpath)
    absent = {
        name: program
        for name, parts in filters.items()
        if refusals.is_required(parts)
        and (program := await trio.to_thread.run_sync(refusals.missing_program, parts, path))
    }
    if not absent:
        return
    listing = ("diff-tree", "-r", "-z", "--no-renames", "--name-only", "--diff-filter=d")
    written = await parsed((await git(*listing, before, after, cwd=checkout)).out, split)
    async with attributes.of(checkout, after) as place:
        ask = ("check-attr", "-z", "--stdin", "filter")
        looked = await git(*ask, cwd=place.cwd, env=place.env, input=join(written))
    used = set(looked.out.split(b"\0")[2::3])
    for name, program in absent.items():
        if os.fsencode(name) in used:
            raise FilterMissing(name, program).of(("checkout",), 1, "")
