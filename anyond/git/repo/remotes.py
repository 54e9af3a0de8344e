"""Remotes of a repository: the one that is meant, and the names of branches there."""

from __future__ import annotations

import os
import re
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from anyond.git.program.command import git, scrub
from anyond.git.program.environment import environment
from anyond.git.program.process import run
from anyond.git.program.text import as_utf8, split
from anyond.model.addresses import Address
from anyond.model.refusals.programs import ToolFailed
from anyond.model.refusals.remotes import NoRemote

_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")  # an argument of ssh, and never an option
_SSH_TIMEOUT_S = 10.0


class Remote(Struct, frozen=True):
    """A remote with the addresses that git would really use.

    Args:
        name: what it is called; its address if it has no name.
        url: where it fetches from.
        push_url: where it pushes to, the first place if there are more.
        named: whether the repository knows it by a name.
    """

    name: str
    url: str
    push_url: str
    named: bool = True

    @property
    def address(self) -> Address:
        return Address.parse(self.url)

    @property
    def push_address(self) -> Address:
        return Address.parse(self.push_url)


async def names(repo: Path) -> list[str]:
    """The names of all remotes."""
    listed = await git("remote", cwd=repo)
    return os.fsdecode(listed.out).split("\n")[:-1]


async def of_target(repo: Path, target: str) -> Remote:
    """The remote to which work for the branch `target` belongs.

    It is the one of the remote branch `target`, else the one that `target` follows, else `origin`,
    else the only one.

    Raises:
        NoRemote: there is none, or no telling which.
    """
    known = await names(repo)
    prefix = _prefix(target, known) if not await _is_local(repo, target) else None
    for name in (prefix, await setting(repo, f"branch.{target}.remote"), "origin"):
        if name in known:
            return await _remote(repo, name)
    if len(known) == 1:
        return await _remote(repo, known[0])
    if not known:
        raise NoRemote.of(repo)
    raise NoRemote.among(as_utf8(target), [as_utf8(name) for name in known])


async def for_push(repo: Path, branch: str, target: str, otherwise: Remote) -> Remote:
    """Return the remote that `branch`, whose work is for `target`, is pushed to.

    That is what git is configured to: for the branch, for all, or for what `branch` follows; an
    address will do as well as a name. Else it goes where pushes of `target` are told to go, or to
    `otherwise`.

    Raises:
        NoRemote: what is configured is no remote; git would not push anywhere else.
    """
    keys = (f"branch.{branch}.pushRemote", "remote.pushDefault", f"branch.{branch}.remote")
    known = await names(repo)
    for key in (*keys, f"branch.{target}.pushRemote"):
        name = await setting(repo, key)
        if name is None or name == ".":  # that is this repository itself
            continue
        if name in known:
            return await _remote(repo, name)
        if "/" in name or ":" in name:
            return await _at_address(repo, name)
        raise NoRemote.named(as_utf8(key), as_utf8(name))
    return otherwise


async def branch_there(repo: Path, target: str, remote: Remote) -> str:
    """Return the name of the branch `target` at the remote: `origin/main` is `main` there, and a
    local branch that follows one of the remote has the name of that one.
    """
    if await _is_local(repo, target):
        followed = await setting(repo, f"branch.{target}.merge") or ""
        if await setting(repo, f"branch.{target}.remote") == remote.name and followed.startswith(
            "refs/heads/"
        ):
            return followed.removeprefix("refs/heads/")
        return target
    return target.removeprefix(f"{remote.name}/")


async def behind_alias(address: Address, repo: Path) -> Address:
    """`address` with the host that ssh would really call: people with several accounts give
    one host several names in ssh's configuration. Nothing is connected to."""
    if address.scheme != "ssh" or not _HOST.fullmatch(address.host):
        return address
    try:
        ask = ("ssh", "-G", "--", address.host)
        result = await run(ask, repo, environment(os.environ), None, _SSH_TIMEOUT_S)
    except ToolFailed:
        return address  # there is no ssh, so there are no names either
    found = re.search(r"(?m)^hostname (\S+)$", os.fsdecode(result.out)) if result else None
    return replace(address, host=found[1].lower()) if found else address


async def _remote(repo: Path, name: str) -> Remote:
    url = await git("remote", "get-url", "--", name, cwd=repo, check=False)
    push_url = await git("remote", "get-url", "--push", "--", name, cwd=repo, check=False)
    if url.code != 0 or push_url.code != 0:
        raise NoRemote.without_address(as_utf8(name))
    return Remote(name, url.text, push_url.text)


async def _at_address(repo: Path, address: str) -> Remote:
    """A remote that has no name, with the addresses that git makes of it."""
    result = await git("ls-remote", "--get-url", "--", address, cwd=repo, check=False)
    if result.code != 0:
        raise NoRemote.not_at(as_utf8(scrub(address)))
    push_url, longest = result.text, ""
    ask = ("config", "--null", "--get-regexp", r"^url\..*\.pushinsteadof$")
    for line in split((await git(*ask, cwd=repo, check=False)).out):
        key, _, begin = line.partition("\n")
        if address.startswith(begin) and len(begin) > len(longest):
            base = key.removeprefix("url.").rpartition(".")[0]
            push_url, longest = base + address.removeprefix(begin), begin
    return Remote(address, result.text, push_url, named=False)


async def setting(repo: Path, key: str) -> str | None:
    """The value of a setting, the last word on it, or None."""
    found = await git("config", "--get", key, cwd=repo, check=False)
    return found.text if found.code == 0 else None


async def _is_local(repo: Path, branch: str) -> bool:
    ask = ("show-ref", "--verify", "--quiet", f"refs/heads/{branch}")
    return (await git(*ask, cwd=repo, check=False)).code == 0


def _prefix(target: str, known: list[str]) -> str | None:
    """The remote whose branch `target` is; names of remotes may have slashes, too."""
    fitting = [name for name in known if target.startswith(f"{name}/")]
    return max(fitting, key=len, default=None)
