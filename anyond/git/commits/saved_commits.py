"""Commits that an attempt may lose without a word, and the refs that keep them.

Theory of operation. `refs/anyon/kept/<attempt>/<what>-<oid>` names a commit so that git does not
collect it. The stash is one for all checkouts of a repository: whatever an agent pops or drops is
gone for the person, too. So before a program runs, each entry gets such a ref, and afterwards those
that are still in the stash lose it again; of the others a person is told. Refs go with the
snapshots of a deleted attempt.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from anyond.git.commits.commit import DURABLE
from anyond.git.program.command import git
from anyond.git.program.text import as_utf8

PREFIX = "refs/anyon/kept/"
MOST_ENTRIES = 100
"""So many entries of the stash are kept, the newest first."""


class Entry(NamedTuple):
    """One entry of the stash; `subject` is what `git stash list` shows."""

    oid: str
    subject: str


async def keep(repo: Path, attempt_id: str, what: str, oid: str) -> str:
    """Name the commit `oid`, unless it is named so already; returns the ref."""
    ref = f"{PREFIX}{attempt_id}/{what}-{oid}"
    await git(*DURABLE, "update-ref", ref, oid, cwd=repo)
    return ref


async def delete_all(repo: Path, attempt_id: str) -> None:
    """Forget all that was kept of an attempt."""
    for ref in await _refs(repo, attempt_id):
        await git("update-ref", "-d", ref, cwd=repo)


async def stash(repo: Path) -> list[Entry]:
    """The entries of the stash, the newest first."""
    ask = ("log", "--walk-reflogs", "--no-show-signature", "--format=%H%x00%gs%x00")
    listed = await git(
        *ask, f"--max-count={MOST_ENTRIES}", "refs/stash", "--", cwd=repo, check=False
    )
    if listed.code != 0:
        return []  # there is none
    fields = os.fsdecode(listed.out).split("\0")
    return [
        Entry(oid.strip(), as_utf8(subject))
        for oid, subject in zip(fields[::2], fields[1::2], strict=False)
        if oid.strip()
    ]


async def guard_stash(repo: Path, attempt_id: str) -> None:
    """Keep every entry of the stash while a program runs in the attempt."""
    for entry in await stash(repo):
        await keep(repo, attempt_id, "stash", entry.oid)


async def compare_stash(repo: Path, attempt_id: str, branch: str) -> list[str]:
    """After a program has run: what became of the stash, in sentences, each told once.

    Args:
        branch: the attempt's.
    """
    guarded = {
        found[1]: ref
        for ref in await _refs(repo, attempt_id)
        if (found := re.search(r"/stash-([0-9a-f]+)$", ref))
    }
    now = await stash(repo)
    there = {entry.oid for entry in now}
    texts = []
    for oid, ref in guarded.items():
        if oid not in there:
            saved = await keep(repo, attempt_id, "popped", oid)
            subject = as_utf8((await git("log", "-1", "--format=%s", oid, "--", cwd=repo)).text)
            texts.append(
                f"The stash, which all checkouts share, has lost an entry meanwhile: {subject}. "
                f"It is kept as {saved}; `git stash store -m back {oid[:12]}` puts it back."
            )
        await git("update-ref", "-d", ref, cwd=repo)
    for entry in now:
        mine = re.match(rf"(WIP on|On) {re.escape(as_utf8(branch))}: ", entry.subject)
        if mine and entry.oid not in guarded:
            ref = await keep(repo, attempt_id, "left", entry.oid)
            texts.append(
                f"The attempt has left an entry in the stash, which all checkouts share: "
                f"{entry.subject}. Its work is in no commit of the branch; it is kept as {ref}."
            )
    return texts


async def _refs(repo: Path, attempt_id: str) -> list[str]:
    below = f"{PREFIX}{attempt_id}/"
    listed = await git("for-each-ref", "--format=%(refname)", below, cwd=repo)
    return os.fsdecode(listed.out).split("\n")[:-1]
