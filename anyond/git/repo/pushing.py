"""Pushing a branch: who gets the token, and what the answer means."""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path

from anyond.git.disk.scratch import scratch
from anyond.git.program.command import Output, failure, git, scrub
from anyond.git.program.environment import settings as environment_settings
from anyond.git.program.text import as_utf8
from anyond.git.repo import ssh_ending
from anyond.git.repo.remotes import Remote, setting
from anyond.git.repo.repository import Repositories, git_dir
from anyond.git.repo.ssh_ending import Ssh
from anyond.model.addresses import without_user
from anyond.model.errors import AnyondError, TimedOut
from anyond.model.refusals.git import GitFailed, TransportWithheld
from anyond.model.refusals.remotes import (
    InsufficientPermissions,
    RateLimited,
    Rejected,
    RepositoryNotFound,
    Slow,
    TokenInvalid,
    TokenMissing,
    Unexpected,
    Unreachable,
)
from anyond.model.refusals.requests import Impossible, NotFound

PUSH_TIMEOUT_S = 540.0
STALL_S = 90
"""How long a connection may stand still."""

ASKED_AGAIN_S = 30.0
"""How long the remote may take to tell whether something has arrived that git did not tell of."""

_RATE_LIMIT_PAUSE_S = 60.0


async def push(
    repos: Repositories,
    worktree: Path,
    remote: Remote,
    branch: str,
    *,
    token: str | None = None,
    force: bool = False,
    timeout: float = PUSH_TIMEOUT_S,
    stall_s: int = STALL_S,
) -> None:
    """Push `branch` under the same name, and follow it there from now on.

    Args:
        worktree: where the branch is checked out; hooks run there.
        token: goes to the remote's push address, over http(s), and nowhere else.
        force: replace what is there, if it is what was last seen there and taken in here.
        timeout, stall_s: seconds for all of it, and without any progress.

    Raises:
        Rejected, TokenInvalid, TokenMissing, InsufficientPermissions, RepositoryNotFound,
        RateLimited, Unreachable, Slow, Unexpected: see there.
    """
    ref = f"refs/heads/{branch}"
    lease: tuple[str, ...] = ()
    if force:
        seen = await _seen(worktree, remote, branch)
        # With an empty expectation there must be nothing yet.
        expected = f"--force-with-lease={ref}" + ("" if seen else ":")
        lease = (expected, "--force-if-includes")
    # Said again, because git takes its own word on repositories inside for one on this, too.
    inside = await setting(worktree, "push.recurseSubmodules")
    along = ("-c", f"push.recurseSubmodules={inside}") if inside is not None else ()
    ask = (*along, "push", "--porcelain", *lease, "--", remote.name, f"{ref}:{ref}")
    own = git_dir(worktree)
    if own is None:
        raise NotFound("worktree", worktree)
    with scratch(own) as private:
        env = _network(remote, token, private / "token", stall_s)
        ssh = await ssh_ending.prepare(worktree, remote, private)
        if ssh is not None:
            env |= ssh.env
        try:
            done = await git(
                *ask, cwd=worktree, env=env, check=False, timeout=timeout, lasting=True
            )
            failed = _failure(done, remote, branch, token, stall_s) if done.code != 0 else None
            if ssh is not None and failed is not None and _NO_CONTACT in done.err:
                failed = await _over_ssh(ssh, done, remote, failed, token)
        except TimedOut:
            failed = Slow(_where(remote), timeout)
        if failed is not None and not (
            isinstance(failed, _UNKNOWN) and await _arrived(worktree, remote, ref, env)
        ):
            raise failed
    if remote.named:
        await _follow(repos, worktree, remote.name, branch)


_NO_CONTACT = "Could not read from remote repository"
"""Git's words if the other side has not said anything that it understands."""

_UNKNOWN = (GitFailed, RateLimited, Slow, Unexpected, Unreachable)
"""What says nothing about whether the push had arrived before: git was killed, or cut off."""


async def _arrived(worktree: Path, remote: Remote, ref: str, env: dict[str, str]) -> bool:
    """Return whether the remote has what was pushed, although git could not tell."""
    ask = ("ls-remote", "--refs", "--", remote.push_url, ref)
    try:
        there = await git(*ask, cwd=worktree, env=env, check=False, timeout=ASKED_AGAIN_S)
        here = await git("rev-parse", "--verify", f"{ref}^{{commit}}", cwd=worktree)
    except AnyondError:
        return False
    oid = here.out.strip()
    if there.code != 0 or there.out.split(b"\t")[0] != oid:
        return False
    if remote.named:
        # As a push that comes to its end does; the next one that forces goes by it.
        known = f"refs/remotes/{remote.name}/{ref.removeprefix('refs/heads/')}"
        await git("update-ref", known, os.fsdecode(oid), cwd=worktree)
    return True


def _network(remote: Remote, token: str | None, file: Path, stall_s: int) -> dict[str, str]:
    """Settings for one command, by environment: nobody sees it in a list of processes.

    Args:
        file: where the token is put. All that git starts inherits its environment, hooks and what
            these start, too; so that names only the file, which is gone when git is.
    """
    settings = [("http.lowSpeedLimit", "1"), ("http.lowSpeedTime", str(stall_s))]
    if remote.named:
        settings.append((f"remote.{remote.name}.mirror", "false"))  # one branch is pushed, not all
    if token is not None:
        # The whole address is the most special name that such a setting can have, so it holds
        # whatever else is configured. The empty values forget what was set before.
        url = without_user(remote.push_url)
        file.touch(mode=0o600)
        file.write_text(
            _section("http", url, "extraHeader", f"Authorization: Basic {_basic(token)}")
        )
        settings += [
            (f"http.{url}.extraHeader", ""),
            ("include.path", os.fspath(file)),
            ("credential.helper", ""),
            (f"credential.{url}.helper", ""),
        ]
    env = environment_settings(settings, os.environ)
    if token is not None:
        env["GIT_ASKPASS"] = ""  # nor is anybody asked for other credentials
    return env


def _section(name: str, part: str, key: str, value: str) -> str:
    """One setting as a file of git's has it."""
    quoted = part.replace("\\", "\\\\").replace('"', '\\"')
    return f'[{name} "{quoted}"]\n\t{key} = "{value}"\n'


def _basic(token: str) -> str:
    return base64.b64encode(f"x-access-token:{token}".encode()).decode()


async def _seen(repo: Path, remote: Remote, branch: str) -> bool:
    ask = ("for-each-ref", "--format=%(refname)", f"refs/remotes/{remote.name}/{branch}")
    return bool((await git(*ask, cwd=repo)).out)


async def _follow(repos: Repositories, worktree: Path, remote: str, branch: str) -> None:
    """Make the pushed branch the upstream, as `git push --set-upstream` would, but safely beside
    others who change the same file."""
    for key, value in (("remote", remote), ("merge", f"refs/heads/{branch}")):
        name = f"branch.{branch}.{key}"
        if await setting(worktree, name) != value:
            async with repos.lock(worktree):
                await git("config", "--replace-all", name, value, cwd=worktree)


def _where(remote: Remote) -> str:
    """A remote as a person is told of it."""
    host = remote.push_address.host
    return f"The remote {as_utf8(scrub(remote.name))}" + (f" ({as_utf8(host)})" if host else "")


# ---------------------------------------------------------------- why it did not work

_NO_LOGIN = (
    "could not read Username",
    "could not read Password",
    "terminal prompts disabled",
    "unable to get password from user",
)


def _failure(
    done: Output, remote: Remote, branch: str, token: str | None, stall_s: int
) -> Exception:
    """Return the error of a push; the words of git only count where there was no answer to it."""
    if isinstance(done.refusal, TransportWithheld):
        return failure(("push",), done)
    output = _output(done.err, token)
    displayed_branch = as_utf8(branch)
    for line in os.fsdecode(done.out).split("\n"):
        flag, _, rest = line.partition("\t")
        if flag == "!":
            summary = rest.partition("\t")[2]
            return _rejection(summary, output, displayed_branch)
    err = done.err
    status = re.search(r"The requested URL returned error: (\d{3})", err)
    code = int(status[1]) if status else 0
    if "src refspec" in err and "does not match any" in err:
        return Impossible("branch", f"there is no branch {displayed_branch!r}.")
    if done.code == 1 and "failed to push some refs" in err:
        # Nothing was offered to the remote: the hook over here was asked first.
        return Rejected("local_hook", displayed_branch, output)
    if code == 401 or any(words in err for words in (*_NO_LOGIN, "Authentication failed")):
        if token is not None:
            return TokenInvalid()
        if any(words in err for words in _NO_LOGIN):
            return TokenMissing.of_remote(_where(remote), output)
        return TokenInvalid.of_remote(_where(remote), output)
    if "Repository not found" in err or code == 404 or re.search(r"repository '.*' not found", err):
        return RepositoryNotFound(as_utf8(remote.push_address.path), output)
    if code == 403 or "Permission denied" in err:
        return InsufficientPermissions(output)
    if code == 429:
        return RateLimited(_RATE_LIMIT_PAUSE_S)
    if "Operation too slow" in err or "timed out" in err:
        return Slow(_where(remote), stall_s)
    if "does not appear to be a git repository" in err or "repository not exported" in err:
        return RepositoryNotFound(as_utf8(remote.push_address.path), output)
    unreachable = (
        "Could not resolve",
        "Failed to connect",
        "Couldn't connect",
        "Connection refused",
        "Connection reset",
        "Could not read from remote repository",
        "Network is unreachable",
        "No route to host",
        "hung up unexpectedly",
        "SSL",
        "certificate",
    )
    if any(words in err for words in unreachable):
        return Unreachable(_where(remote), output)
    if code:
        return Unexpected(_where(remote), output)
    return GitFailed(("push",), done.code, output)


async def _over_ssh(
    ssh: Ssh, done: Output, remote: Remote, failed: Exception, token: str | None
) -> Exception:
    """Return the error by ssh's exit for a remote that could not be talked to; `failed` is the one
    by the words.
    """
    refused = await ssh_ending.was_refused(ssh, remote, done.err)
    output = _output(done.err, token)
    if refused and isinstance(failed, Unreachable | GitFailed):
        return InsufficientPermissions(output)
    if refused is False and isinstance(failed, GitFailed):
        return Unreachable(_where(remote), output)
    return failed


def _rejection(summary: str, output: str, branch: str) -> Exception:
    if "stale info" in summary or "remote ref updated since checkout" in summary:
        return Rejected("stale", branch)
    if summary.startswith("[rejected]"):
        return Rejected("non_fast_forward", branch)
    found = re.search(r"\((.*)\)", summary)
    why = "; ".join(part for part in (found[1] if found else summary, output) if part)
    if "refusing to allow" in why:  # GitHub's words for a token without the scope `workflow`
        return InsufficientPermissions(why)
    return Rejected("remote", branch, why)


def _output(err: str, token: str | None) -> str:
    """Return the useful part of git's words, in one line."""
    lines = []
    for line in err.split("\n"):
        words = line.strip().removeprefix("remote: ").strip()
        if words and not words.startswith(("hint:", "error: failed to push some refs")):
            lines.append(words)
    text = "; ".join(lines)
    for secret in (token, _basic(token)) if token else ():
        text = text.replace(secret, "***")
    return text
