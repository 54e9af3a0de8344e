"""The git directories of known checkouts: remembered, never read off what lies in them.

Git finds its repository by what it meets in a directory and above it, and then runs what the
configuration there names. Whoever may write in a worktree could so lead a git that somebody else
starts, by a `.git` that was rewritten or replaced, or by a repository inside. For a checkout that
is known here, git is told its directories instead.
"""

from __future__ import annotations

import os
from pathlib import Path

from msgspec import Struct

from anyond.real_path import nearest_real_path, same_place


class Location(Struct, frozen=True):
    """The location of a checkout, for git's command line and environment.

    Args:
        git_dir: where HEAD and index are; there may be nothing, if the checkout is gone.
        common_dir: where refs, objects and configuration are; None if git has to say so.
        work_tree: the top of the checkout; None if it is a bare repository.
        nested: it is a repository inside a known checkout, of which nothing is known.
    """

    git_dir: Path
    common_dir: Path | None
    work_tree: Path | None
    nested: bool = False

    @property
    def environment(self) -> dict[str, str]:
        """The same for git."""
        variables = {"GIT_DIR": os.fspath(self.git_dir)}
        if self.common_dir is not None:
            variables["GIT_COMMON_DIR"] = os.fspath(self.common_dir)
        if self.work_tree is not None:
            variables["GIT_WORK_TREE"] = os.fspath(self.work_tree)
        else:
            variables["GIT_IMPLICIT_WORK_TREE"] = "0"
        return variables


class _Known(Struct):
    top: Path
    common_dir: Path
    git_dir: Path | None
    bare: bool = False


_known: dict[str, _Known] = {}
_moved_from: dict[str, Path] = {}

_LONGEST_PATH = 1 << 13


def remember(
    top: Path, common_dir: Path, git_dir: Path | None = None, *, bare: bool = False
) -> None:
    """From now on, `top` is a checkout of the repository `common_dir`, whatever lies in it.

    Args:
        git_dir: where it has HEAD and index; None for a linked worktree, whose record is sought in
            the repository.
        bare: `top` has no files of its own.
    """
    known = _Known(top, common_dir, git_dir, bare)
    for name in {os.path.abspath(top), os.fspath(nearest_real_path(top))}:
        _known[name] = known


def forget(top: Path) -> None:
    """`top` is no checkout any more, or may be one of another repository."""
    for name in {os.path.abspath(top), os.fspath(nearest_real_path(top))}:
        _known.pop(name, None)


def is_remembered(top: Path) -> bool:
    """Return whether `top` itself is known as a checkout."""
    return os.path.abspath(top) in _known


def locate(directory: Path, *, enter: bool = True) -> Location | None:
    """Return the location of the checkout that `directory` lies in; None if none is known.

    Args:
        enter: whether a repository inside a known checkout counts as one of its own.
    """
    nested: str | None = None
    here = os.path.abspath(directory)
    while True:
        known = _known.get(here)
        if known is not None:
            return _of(known) if nested is None else _inside(nested)
        if enter and nested is None and os.path.lexists(os.path.join(here, ".git")):
            nested = here
        above = os.path.dirname(here)
        if above == here:
            return None
        here = above


def main_checkouts(common_dir: Path) -> list[Path]:
    """The places that were known as the main checkout of a repository, wherever that lies."""
    tops = (
        known.top
        for known in [*_known.values()]
        if not known.bare
        and known.common_dir == common_dir
        and known.git_dir is not None
        and same_place(known.git_dir, common_dir)
    )
    return [*dict.fromkeys(tops)]


def named_git_dir(top: Path) -> Path | None:
    """Return the directory that `.git` in `top` leads to; None if it leads nowhere."""
    link = top / ".git"
    if os.path.isdir(link):
        return link
    first = _line(link)
    if first is None or not first.startswith("gitdir: "):
        return None
    target = top / first.removeprefix("gitdir: ")
    return target if os.path.isdir(target) else None


def linked_to(own: Path) -> Path:
    """The directory of the checkout whose record in the repository is `own`."""
    link = _line(own / "gitdir")
    # A record that was cut short by a crash belongs to nobody.
    return (own / link).parent if link else own


def shared_by(own: Path) -> Path:
    """The directory that a git directory shares with others, as its own file says; else itself.

    Git reads references there, whatever else it is told.
    """
    link = _line(own / "commondir")
    return own / link if link else own


def first_place(common_dir: Path) -> Path:
    """Return the path a repository had when it became known, if it has been moved since."""
    return _moved_from.get(os.fspath(common_dir), common_dir)


def _of(known: _Known) -> Location:
    if not os.path.lexists(known.common_dir / "HEAD") or os.path.islink(known.common_dir):
        _follow(known.common_dir)
    # A repository's own checkout has no other place, also while somebody has moved it away.
    lasting = (
        known.git_dir if known.git_dir and same_place(known.git_dir, known.common_dir) else None
    )
    if lasting is None and not (known.git_dir and _belongs(known.git_dir, known.common_dir)):
        known.git_dir = _record(known.top, known.common_dir)
    work_tree = None if known.bare else known.top
    # Where there is no record, git must not look for another: it says that this is no repository.
    return Location(known.git_dir or known.common_dir / "worktrees", known.common_dir, work_tree)


def _follow(left: Path) -> None:
    """Somebody has moved a repository out of its own checkout, whose `.git` now leads to the new
    place (`git init --separate-git-dir`, `git submodule absorbgitdirs`, or by hand).

    Only the main checkout says so: the `.git` of a worktree is an agent's to write.
    """
    ours = [known for known in _known.values() if known.common_dir == left]
    for main in ours:
        named = named_git_dir(main.top) if main.git_dir == left else None
        found = nearest_real_path(named) if named is not None else left
        if found != left and _is_repository(found):
            break
    else:
        return
    for known in ours:
        known.common_dir = found
        # That of a worktree is one of its records, which have gone along.
        known.git_dir = found if known.git_dir == left else None
    _moved_from[os.fspath(found)] = first_place(left)


def _is_repository(place: Path) -> bool:
    return all(os.path.exists(place / name) for name in ("HEAD", "objects", "refs"))


def _inside(top: str) -> Location:
    path = Path(top)
    return Location(named_git_dir(path) or path / ".git", None, path, nested=True)


def _record(top: Path, common_dir: Path) -> Path | None:
    """Return the repository's record of the linked worktree `top`."""
    records = common_dir / "worktrees"
    named = named_git_dir(top)
    if named is not None and same_place(named.parent, records):
        there = linked_to(named)
        # It may have been moved together with what it is linked to.
        if (same_place(there, top) or not os.path.lexists(there)) and _belongs(named, common_dir):
            return named
    try:
        found = sorted(records.iterdir())
    except OSError:
        return None
    fitting = (
        own for own in found if same_place(linked_to(own), top) and _belongs(own, common_dir)
    )
    return next(fitting, None)


def _belongs(own: Path, common_dir: Path) -> bool:
    """Return whether the git directory `own` is whole, and one of that repository for git, too."""
    return os.path.lexists(own / "HEAD") and same_place(shared_by(own), common_dir)


def _line(file: Path) -> str | None:
    """The path that is the first line of a file of git's; None if there is none, or no file.

    A pipe would wait for whoever writes into it.
    """
    try:
        if not os.path.isfile(file):
            return None
        with file.open("rb") as data:
            first = data.readline(_LONGEST_PATH)
    except OSError:
        return None
    return os.fsdecode(first.rstrip(b"\r\n").partition(b"\0")[0])
