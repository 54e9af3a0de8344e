"""Branches: listing them, rules for their names, and their relations to each other."""

from __future__ import annotations

import re
from pathlib import Path

from msgspec import Struct

from anyond.git.program.command import git
from anyond.git.program.text import as_utf8, split
from anyond.git.repo import libgit2
from anyond.model.ids import timestamp
from anyond.model.refusals.git import GitFailed
from anyond.model.refusals.requests import Impossible, Invalid, NotFound
from anyond.model.rows import Branch

SLUG_LENGTH = 40
NAME_BYTES = 200

_HEX = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|$)")


class Tip(Struct, frozen=True):
    """A branch that was found.

    Args:
        name: as a person says it: `main`, `origin/main`.
        ref: its full name.
        oid: the commit it points to.
        is_remote: whether it is only what a remote had at the last fetch.
    """

    name: str
    ref: str
    oid: str
    is_remote: bool


async def list_branches(path: Path) -> list[Branch]:
    """All local and remote-tracking branches: the current one first, then the newest first."""
    fields = "%(refname)%00%(symref)%00%(HEAD)%00%(committerdate:unix)%00"
    ask = ("for-each-ref", "--sort=-committerdate", f"--format={fields}")
    found = await git(*ask, "refs/heads", "refs/remotes", cwd=path)
    branches = []
    for line in found.out.split(b"\0\n")[:-1]:
        ref, symref, head, date = line.split(b"\0")
        is_remote = ref.startswith(b"refs/remotes/")
        if is_remote and symref:
            continue
        (name,) = split(ref.split(b"/", 2)[2])
        branches.append(
            Branch(
                name=as_utf8(name),
                is_current=head == b"*",
                is_remote=is_remote,
                last_commit_date=timestamp(int(date or b"0")),
            )
        )
    return sorted(branches, key=lambda branch: not branch.is_current)


async def exists(path: Path, name: str) -> bool:
    """Return whether there is a local branch of that name."""
    found = await find(path, name)
    return found is not None and not found.is_remote


async def find(path: Path, name: str) -> Tip | None:
    """The branch `name`, a local one rather than a remote one, or None."""
    return (await find_all(path, name)).get(name)


async def find_all(path: Path, *names: str) -> dict[str, Tip]:
    """Those of the branches `names` that there are, as `find` finds each."""
    refs_of = {name: (f"refs/heads/{name}", f"refs/remotes/{name}") for name in names
              if valid_name(name)}  # fmt: skip
    if not refs_of:
        return {}
    refs = (ref for both in refs_of.values() for ref in both)
    ask = ("for-each-ref", "--format=%(refname)%00%(objectname)%00", *refs)
    fields = split((await git(*ask, cwd=path)).out.replace(b"\0\n", b"\0"))
    # A pattern also matches what lies below it, as in a directory.
    oids = dict(zip(fields[::2], fields[1::2], strict=True))
    return {
        name: Tip(name, ref, oids[ref], is_remote=ref is both[1])
        for name, both in refs_of.items()
        for ref in reversed(both)
        if ref in oids
    }


async def in_the_way(path: Path, name: str) -> str | None:
    """The branch because of which there can be none called `name`: `a` is in the way of `a/b`."""
    parts = name.split("/")
    above = ["/".join(parts[:count]) for count in range(1, len(parts))]
    found = await find_all(path, *above)
    return next((one for one in above if one in found and not found[one].is_remote), None)


async def resolve(path: Path, name: str, field: str = "base_branch") -> Tip:
    """The branch `name`.

    Raises:
        Impossible: there is none; `field` is the part of the request that named it.
    """
    found = await find(path, name)
    if found is None:
        any_ref = await git("for-each-ref", "--count=1", "refs/heads", "refs/remotes", cwd=path)
        if not any_ref.text:
            raise Impossible(field, f"the repository {path} has no commit yet; make a first one.")
        raise Impossible(field, f"there is no branch {as_utf8(name)!r} in {path}.")
    return found


async def real(path: Path, tip: Tip) -> Tip:
    """The branch that a mere other name of it stands for: it moves, and is checked out, by its own.

    `git symbolic-ref refs/heads/master refs/heads/main` makes such a name. Nearly no branch is one.
    """
    found = await git("symbolic-ref", "--quiet", tip.ref, cwd=path, check=False)
    if found.code != 0:
        return tip
    ref = found.text
    name = ref.removeprefix("refs/heads/").removeprefix("refs/remotes/")
    return Tip(name, ref, tip.oid, is_remote=not ref.startswith("refs/heads/"))


async def commit(path: Path, text: str) -> str:
    """The id of the commit that `text` (an abbreviated id, a tag, `HEAD~2`) means in `path`.

    Raises:
        NotFound: none, or more than one.
    """
    if text and "\0" not in text:
        ask = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{text}^{{commit}}")
        found = await git(*ask, cwd=path, check=False)
        if found.code == 0 and _HEX.fullmatch(found.text):
            return found.text
    raise NotFound("commit", as_utf8(text))


async def subject(path: Path, oid: str) -> str:
    """The first line of the message of the commit `oid`, which `commit` has answered."""
    _must_be_safe(oid)
    return as_utf8(
        (await git("log", "-1", "--encoding=UTF-8", "--format=%s", oid, "--", cwd=path)).text
    )


async def ahead_behind(path: Path, a: str, b: str) -> tuple[int, int]:
    """Count the commits that only `a` has, and those that only `b` has.

    Args:
        path: anywhere in the repository.
        a, b: commit ids, full refs, or `HEAD`.
    """
    a, b = await _oid(path, a), await _oid(path, b)
    try:
        return await libgit2.ahead_behind(path, a, b)
    except libgit2.Refused:
        ask = ("rev-list", "--left-right", "--count", f"{a}...{b}", "--")
        left, right = (await git(*ask, cwd=path)).text.split("\t")
        return int(left), int(right)


async def merge_base(path: Path, a: str, b: str) -> str | None:
    """The commit from which `a` and `b` (ids, full refs, `HEAD`) went apart, or None."""
    a, b = await _oid(path, a), await _oid(path, b)
    try:
        return await libgit2.merge_base(path, a, b)
    except libgit2.Refused:
        found = await git("merge-base", a, b, cwd=path, check=False)
        if found.code > 1:
            raise GitFailed(("merge-base", a, b), found.code, found.err) from None
        return found.text or None


async def is_ancestor(path: Path, a: str, b: str) -> bool:
    """Return whether the commit `a` is there, and in the history of `b` (an id, a full ref,
    `HEAD`).
    """
    ask = ("merge-base", "--is-ancestor", a, b)
    return (await git(*ask, cwd=path, check=False)).code == 0


async def fork_point(worktree: Path, target: str, left: str | None = None) -> str | None:
    """Return the commit where a checkout left the branch `target`: the base of an attempt's
    changes.

    Args:
        left: where it once left it, for the case that there is no such branch any more, or that
            the two have no commit in common that is here: a shallow repository lacks the older
            ones, and a branch may have been replaced by an unrelated one.

    Returns:
        The id of the newest commit that HEAD shares with the branch, else `left` if HEAD has that,
        else HEAD itself. None if there is no commit yet.
    """
    refs = (f"refs/heads/{target}", f"refs/remotes/{target}") if valid_name(target) else ()
    try:
        return await libgit2.fork_point(worktree, refs, left)
    except libgit2.Refused:
        found = await find(worktree, target)
        try:
            head = await commit(worktree, "HEAD")
        except NotFound:
            return None
        base = await merge_base(worktree, found.oid, head) if found is not None else None
        if base is not None:
            return base
        return left if left is not None and await is_ancestor(worktree, left, head) else head


def valid_name(name: str) -> bool:
    """Return whether a branch may be called so: git's own rules, and nothing that looks like an
    option.
    """
    return not (
        not name
        or _FORBIDDEN.search(name)
        or name.startswith(("-", "/", "."))
        or name.endswith(("/", "."))
        or name in {"@", "HEAD"}
        or len(name.encode("utf-8", "surrogateescape")) > NAME_BYTES
    )


def valid_new_name(name: str) -> bool:
    """Return whether we may call a branch so.

    Git allows a branch `refs/heads/x` or `heads/x` too, and then takes it for the branch `x`.
    """
    return valid_name(name) and not name.startswith(("refs/", "heads/", "remotes/"))


def slug(title: str) -> str:
    """`title` in any script as at most 40 characters of a-z, 0-9, "-"; `task` if none is left."""
    from text_unidecode import unidecode  # reads a large table, which only new attempts need

    words = re.sub(r"[^a-z0-9]+", "-", unidecode(title).lower()).strip("-")
    if len(words) > SLUG_LENGTH:
        cut = words[: SLUG_LENGTH + 1].rpartition("-")[0]
        words = (cut or words[:SLUG_LENGTH]).strip("-")
    return words or "task"


def branch_name(prefix: str, title: str, attempt_id: str) -> str:
    """`<prefix>/<slug of the title>-<first 8 hex digits of the id>`.

    Raises:
        Invalid: no branch can have that prefix.
    """
    name = f"{slug(title)}-{attempt_id.replace('-', '')[:8]}"
    name = f"{prefix}/{name}" if prefix else name
    if not valid_new_name(name):
        raise Invalid("git_branch_prefix", f"no branch can be called {as_utf8(name)!r}.")
    return name


async def _oid(path: Path, name: str) -> str:
    _must_be_safe(name)
    return name if _HEX.fullmatch(name) else await commit(path, name)


def _must_be_safe(name: str) -> None:
    if not (name == "HEAD" or name.startswith("refs/") or _HEX.fullmatch(name)):
        raise NotFound("commit", as_utf8(name))
