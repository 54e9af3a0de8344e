"""Inspecting a directory for a repository, and making one."""

from __future__ import annotations

import os
from pathlib import Path

import trio
from msgspec import Struct

from anyond.git.program.command import git
from anyond.git.program.text import split
from anyond.git.repo import main_checkout
from anyond.git.repo.repository import common_dir, common_dir_at, git_dir, identity
from anyond.model.refusals.git import Refused
from anyond.model.refusals.requests import Invalid, NotFound
from anyond.real_path import real_path

FIRST_COMMIT = "Initial commit"


class RepoInfo(Struct, frozen=True, kw_only=True):
    """The result of one look at a directory.

    Args:
        is_repo: whether it belongs to a git repository at all; if not, the rest says nothing.
        bare: there is no working tree.
        root: the top of the working tree, or the repository itself if bare.
        common_dir: where refs and objects lie; the same for all worktrees of a repository.
        default_branch: what new work should go to, or None in a repository without any branch.
        unborn: there is no commit yet on the current branch.
        hooks, filters, gpgsign, sparse, reftable, partial_clone, sha256: features that pygit2
            ignores or refuses.
    """

    is_repo: bool
    bare: bool = False
    root: Path | None = None
    common_dir: Path | None = None
    default_branch: str | None = None
    unborn: bool = False
    hooks: bool = False
    filters: bool = False
    gpgsign: bool = False
    sparse: bool = False
    reftable: bool = False
    partial_clone: bool = False
    sha256: bool = False

    @property
    def pygit2_reads(self) -> bool:
        """True if pygit2 can open it and see the same refs and objects as git does."""
        return self.is_repo and not (self.reftable or self.partial_clone or self.sha256)

    @property
    def pygit2_writes(self) -> bool:
        """True if a commit by pygit2 would be the commit that git had made."""
        return self.pygit2_reads and not (self.hooks or self.filters or self.gpgsign or self.sparse)


async def inspect(path: Path) -> RepoInfo:
    """Look at the directory `path`, which need not be a repository, nor exist."""
    try:
        shared = await common_dir(path)
    except NotFound:
        return RepoInfo(is_repo=False)
    bare = (await git("rev-parse", "--is-bare-repository", cwd=path)).text == "true"
    inside = (await git("rev-parse", "--is-inside-work-tree", cwd=path)).text == "true"
    if inside:
        root = Path((await git("rev-parse", "--show-toplevel", cwd=path)).text)
    else:
        root = shared if bare else await trio.to_thread.run_sync(_top, path, shared)
    config = await _config(path)
    unborn = (await git("rev-parse", "-q", "--verify", "HEAD", cwd=path, check=False)).code != 0
    return RepoInfo(
        is_repo=True,
        bare=bare,
        root=root,
        common_dir=shared,
        default_branch=await _default_branch(path, shared),
        unborn=unborn,
        hooks=_has_hooks(Path(config.get("core.hookspath") or shared / "hooks"), root),
        filters=await _uses_filters(path, shared, config),
        gpgsign=_true(config.get("commit.gpgsign")),
        sparse=_true(config.get("core.sparsecheckout")),
        reftable=config.get("extensions.refstorage", "files") != "files",
        partial_clone="extensions.partialclone" in config
        or any(k.startswith("remote.") and k.endswith(".promisor") for k in config),
        sha256=config.get("extensions.objectformat", "sha1") != "sha1",
    )


async def init(path: Path) -> RepoInfo:
    """Make a repository with a first commit on `main`; one that is there already is left as it is.

    Unless there is nothing in it, as after a crash in the middle: that one is completed.

    Raises:
        Invalid: `path` holds something else already.
    """
    if not _make_empty(path):
        if git_dir(path) is None:
            raise Invalid("git_repo_path", f"{path} is not empty, and not a git repository.")
        if not await _is_unfinished(path):
            return await inspect(path)
    await git("init", "--quiet", "--initial-branch=main", "--", path, cwd=path, known=False)
    message = ("--message", FIRST_COMMIT)
    who = await identity(path)
    ask = ("commit", "--quiet", "--allow-empty", "--no-verify", *message)
    await git(*ask, cwd=path, env=who, known=False)
    return await inspect(path)


async def _config(path: Path) -> dict[str, str]:
    """All settings that hold in `path`, the last word on each; a key without value is "true"."""
    listed = await git("config", "--list", "-z", "--includes", cwd=path)
    pairs = (entry.partition("\n") for entry in split(listed.out))
    return {key: value if found else "true" for key, found, value in pairs}


async def _default_branch(path: Path, shared: Path) -> str | None:
    """The branch of the main checkout; if that is detached, what the remote or custom suggest."""
    main = await main_checkout.find(path)
    if not main.bare or main.unreachable:
        # Not all that git knows of HEAD is in a file.
        own = {"GIT_DIR": os.fspath(shared), "GIT_COMMON_DIR": os.fspath(shared)}
        where = {**own, "GIT_WORK_TREE": os.fspath(shared)}
        ask = ("symbolic-ref", "--quiet", "HEAD")
        result = await git(*ask, cwd=shared, env=where, check=False)
        if result.code == 0 and result.text.startswith("refs/heads/"):
            return result.text.removeprefix("refs/heads/")
    head = await git("symbolic-ref", "-q", "refs/remotes/origin/HEAD", cwd=path, check=False)
    preferred = [head.text.removeprefix("refs/remotes/origin/")] if head.code == 0 else []
    refs = await git("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads", cwd=path)
    names = os.fsdecode(refs.out).split("\n")[:-1]
    for name in [*preferred, "main", "master", *names]:
        if name in names:
            return name
    return None


def _top(path: Path, shared: Path) -> Path:
    """Return the place of a project whose files are elsewhere, by `core.worktree`: that of its
    `.git`.
    """
    real = Path(os.path.realpath(path))
    top = main_checkout.top(real)
    if top is None or real.is_relative_to(shared) or common_dir_at(top) != shared:
        return shared
    return top


def _has_hooks(hooks: Path, root: Path) -> bool:
    try:
        found = list((root / hooks.expanduser()).iterdir())
    except OSError:
        # No hooks directory is the normal case; one that we cannot read git cannot use either.
        return False
    return any(
        hook.suffix != ".sample" and os.path.isfile(hook) and os.access(hook, os.X_OK)
        for hook in found
    )


async def _uses_filters(path: Path, shared: Path, config: dict[str, str]) -> bool:
    """Git LFS is configured for most users globally; what counts is whether a file asks for it."""
    if not any(k.startswith("filter.") and k.endswith((".clean", ".process")) for k in config):
        return False
    attributes = shared / "info" / "attributes"
    if _mentions_filter(attributes):
        return True
    ask = ("grep", "--quiet", "--cached", "-F", "filter=", "--", ":(glob)**/.gitattributes")
    return (await git(*ask, cwd=path, check=False)).code == 0


def _mentions_filter(attributes: Path) -> bool:
    # Nothing but a file is opened: a pipe would wait for whoever writes into it.
    return os.path.isfile(attributes) and b"filter=" in attributes.read_bytes()


async def _is_unfinished(path: Path) -> bool:
    """Return whether `path` has nothing but a repository without a commit, a ref or a staged
    file.
    """
    if not _holds_only_git(path):
        return False
    try:
        whole = await common_dir(path) == real_path(os.fspath(path / ".git"), "git_repo_path")
    except (NotFound, Refused):
        whole = False
    if not whole:
        # Git was killed before it could be a repository at all. (`path` may lie in another one.)
        return not _holds_objects(path / ".git")
    if (await git("rev-parse", "-q", "--verify", "HEAD", cwd=path, check=False)).code == 0:
        return False
    refs = await git("for-each-ref", "--count=1", cwd=path)
    return not refs.out and not (await git("ls-files", cwd=path)).out


def _holds_only_git(path: Path) -> bool:
    own = path / ".git"
    return os.listdir(path) == [own.name] and os.path.isdir(own) and not own.is_symlink()


def _holds_objects(own: Path) -> bool:
    parts = (own / "objects", own / "refs", own / "packed-refs")
    return any(os.path.isfile(found) for place in parts for found in (place, *place.rglob("*")))


def _make_empty(path: Path) -> bool:
    """Return whether `path` is, or is made, an empty directory."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        return not any(path.iterdir())
    except OSError as error:
        problem = f"{path} cannot be a repository: {error.strerror}."
        raise Invalid("git_repo_path", problem) from error


def _true(value: str | None) -> bool:
    return (value or "").lower() in {"true", "yes", "on", "1"}
