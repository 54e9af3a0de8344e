"""What a repository is, whose name its commits bear, and who may change it just now."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakValueDictionary

import trio

from anyond.git import locations
from anyond.git.command import GitFailed, git
from anyond.git.text import split
from anyond.model.errors import Invalid, NotFound
from anyond.real_path import nearest_real_path, real_path

NAME = "Anyon"
EMAIL = "anyon@localhost"
FIRST_COMMIT = "Initial commit"

_IDENT = re.compile(r"(.+) <(.+)> \d+ [-+]\d+", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class RepoInfo:
    """What one look at a directory tells.

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
        """Whether pygit2 can open it and see the same refs and objects as git does."""
        return self.is_repo and not (self.reftable or self.partial_clone or self.sha256)

    @property
    def pygit2_writes(self) -> bool:
        """Whether a commit by pygit2 would be the commit that git had made."""
        return self.pygit2_reads and not (self.hooks or self.filters or self.gpgsign or self.sparse)


class Repositories:
    """One lock per repository, whichever of its worktrees is named."""

    def __init__(self) -> None:
        # A lock lives as long as somebody holds or awaits it.
        self._locks: WeakValueDictionary[Path, trio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def lock(self, path: Path) -> AsyncIterator[None]:
        """Be the only one who changes the repository at `path` meanwhile. Not reentrant.

        Raises:
            NotFound: there is no repository.
        """
        async with self._lock(await common_dir(path)):
            yield

    @asynccontextmanager
    async def making(self, path: Path) -> AsyncIterator[None]:
        """Be the only one who makes a repository at `path` meanwhile."""
        async with self._lock(_real(str(path))):
            yield

    def _lock(self, key: Path) -> trio.Lock:
        return self._locks.setdefault(key, trio.Lock())


async def common_dir(path: Path) -> Path:
    """The directory that all worktrees of the repository share.

    Raises:
        NotFound: `path` belongs to no repository.
    """
    if _is_dir(path):
        known = _known_common_dir(path)
        if known is not None:
            return known
        ask = ("rev-parse", "--path-format=absolute", "--git-common-dir")
        answer = await git(*ask, cwd=path, check=False)
        if answer.code == 0:
            return _real(answer.text)
        if "not a git repository" not in answer.err:
            raise GitFailed(ask, answer.code, answer.err)
    raise NotFound("git repository at", path)


def _known_common_dir(path: Path) -> Path | None:
    place = locations.locate(path)
    there = place is not None and os.path.lexists(place.git_dir / "HEAD")
    return place.common_dir if place is not None and there else None


def git_dir(worktree: Path) -> Path | None:
    """Where a checkout keeps its HEAD and index, or None if `worktree` is not the top of one.

    Of a checkout that is known, it is what is known, and not where its `.git` leads.
    """
    place = locations.locate(worktree)
    if place is None or place.nested or place.work_tree is None:
        return locations.named_git_dir(worktree)
    if nearest_real_path(place.work_tree) != nearest_real_path(worktree):
        return None
    there = os.path.lexists(worktree / ".git") and os.path.lexists(place.git_dir / "HEAD")
    return place.git_dir if there else None


async def adopt(path: Path) -> Path | None:
    """Have git find the checkout at `path` itself, this once, and know it from now on.

    Git's own check of who owns it applies; none of its programs are run.

    Returns:
        The directory that all worktrees share; None if there is no repository.

    Raises:
        GitFailed: git does not want to have to do with it.
    """
    locations.forget(path)
    if not _is_dir(path):
        return None
    ask = ("rev-parse", "--path-format=absolute", "--git-common-dir", "--absolute-git-dir")
    told = await git(*ask, cwd=path, check=False, known=False)
    if told.code != 0:
        if "not a git repository" in told.err:
            return None
        raise GitFailed(ask, told.code, told.err)
    common, own = map(_real, os.fsdecode(told.out).splitlines())
    top = await git("rev-parse", "--show-toplevel", cwd=path, check=False, known=False)
    bare = top.code != 0
    locations.remember(path if bare else Path(top.text), common, own, bare=bare)
    return common


def common_dir_at(checkout: Path) -> Path | None:
    """What `common_dir` finds for the top of a checkout, read without git. Blocks on the disk."""
    own = git_dir(checkout)
    if own is None:
        return None
    try:
        return Path(os.path.realpath(own / os.fsdecode((own / "commondir").read_bytes().strip())))
    except OSError:
        return Path(os.path.realpath(own))  # the main checkout has no such file


async def inspect(path: Path) -> RepoInfo:
    """Look at the directory `path`, which need not be a repository, nor exist."""
    try:
        shared = await common_dir(path)
    except NotFound:
        return RepoInfo(is_repo=False)
    bare = (await git("rev-parse", "--is-bare-repository", cwd=path)).text == "true"
    inside = (await git("rev-parse", "--is-inside-work-tree", cwd=path)).text == "true"
    root = Path((await git("rev-parse", "--show-toplevel", cwd=path)).text) if inside else shared
    config = await _config(path)
    unborn = (await git("rev-parse", "-q", "--verify", "HEAD", cwd=path, check=False)).code != 0
    return RepoInfo(
        is_repo=True,
        bare=bare,
        root=root,
        common_dir=shared,
        default_branch=await _default_branch(path),
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


async def identity(path: Path) -> dict[str, str]:
    """Whose name a commit in `path` bears, as environment for git; never written anywhere.

    The person's, as git itself knows it. Where it does not, what is missing of it is Anyon's.
    """
    who: dict[str, str] = {}
    for role in ("AUTHOR", "COMMITTER"):
        name, email = await _ident(path, role)
        who |= {f"GIT_{role}_NAME": name, f"GIT_{role}_EMAIL": email}
    return who


async def _ident(path: Path, role: str) -> tuple[str, str]:
    # What git only guesses (the name of the account, that of the host) counts if it would commit
    # with it. If it would not, Anyon's part is offered for what nobody has told.
    told_only = ("-c", "user.useConfigOnly=true")
    email, name = f"GIT_{role}_EMAIL", f"GIT_{role}_NAME"
    tries: list[tuple[tuple[str, ...], dict[str, str]]] = [((), {})]
    if not os.environ.get(email):
        tries.append((told_only, {email: os.environ.get("EMAIL") or EMAIL}))
    if not os.environ.get(name):
        tries.append((() if os.environ.get("EMAIL") else told_only, {name: NAME}))
    for options, offered in tries:
        ask = (*options, "var", f"GIT_{role}_IDENT")
        told = await git(*ask, cwd=path, env=offered, check=False)
        found = _IDENT.fullmatch(told.text)
        if told.code == 0 and found is not None:
            return found[1], found[2]
    return NAME, EMAIL


async def signing(path: Path) -> tuple[str, ...]:
    """The option that makes `commit-tree` sign, if the user wants commits signed."""
    ask = ("config", "--type=bool", "--get", "commit.gpgsign")
    return ("-S",) if (await git(*ask, cwd=path, check=False)).text == "true" else ()


async def empty_tree(path: Path) -> str:
    """The id of the tree without files, in the hash of that repository."""
    return (await git("hash-object", "-t", "tree", "--stdin", cwd=path, input=b"")).text


async def _config(path: Path) -> dict[str, str]:
    """All settings that hold in `path`, the last word on each; a key without value is "true"."""
    listed = await git("config", "--list", "-z", "--includes", cwd=path)
    pairs = (entry.partition("\n") for entry in split(listed.out))
    return {key: value if found else "true" for key, found, value in pairs}


async def _default_branch(path: Path) -> str | None:
    """The branch of the main checkout; if that is detached, what the remote or custom suggest."""
    listed = await git("worktree", "list", "--porcelain", "-z", cwd=path)
    for line in listed.out.split(b"\0\0", 1)[0].split(b"\0"):
        if line.startswith(b"branch refs/heads/"):
            return os.fsdecode(line.removeprefix(b"branch refs/heads/"))
    head = await git("symbolic-ref", "-q", "refs/remotes/origin/HEAD", cwd=path, check=False)
    wanted = [head.text.removeprefix("refs/remotes/origin/")] if head.code == 0 else []
    refs = await git("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads", cwd=path)
    names = os.fsdecode(refs.out).split("\n")[:-1]
    for name in [*wanted, "main", "master", *names]:
        if name in names:
            return name
    return None


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


def _is_dir(path: Path) -> bool:
    # Unlike Path.is_dir, this does not raise for what may not be looked at.
    return os.path.isdir(path)


def _real(path: str) -> Path:
    return real_path(path, "git_repo_path")


async def _is_unfinished(path: Path) -> bool:
    """Whether `path` has nothing but a repository without a commit, a ref or a staged file."""
    if not _holds_only_git(path):
        return False
    try:
        whole = await common_dir(path) == _real(os.fspath(path / ".git"))
    except NotFound:
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
    return os.listdir(path) == [own.name] and _is_dir(own) and not own.is_symlink()


def _holds_objects(own: Path) -> bool:
    places = (own / "objects", own / "refs", own / "packed-refs")
    return any(os.path.isfile(found) for place in places for found in (place, *place.rglob("*")))


def _make_empty(path: Path) -> bool:
    """Whether `path` is, or is made, an empty directory."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        return not any(path.iterdir())
    except OSError as error:
        problem = f"{path} cannot be a repository: {error.strerror}."
        raise Invalid("git_repo_path", problem) from error


def _true(value: str | None) -> bool:
    return (value or "").lower() in {"true", "yes", "on", "1"}
