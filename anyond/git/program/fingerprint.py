"""Hashes, by name, of everything that decides which programs git runs in a repository and a
worktree.
"""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct, field

from anyond.git.disk.locations import Location
from anyond.git.program.programs import Setting, runs_programs

MOST_HOOKS = 500
"""So many files below a directory of hooks are looked at."""
_MOST_BYTES = 8 << 20

Stamp = tuple[tuple[int, ...] | None, ...]
"""What `stat` says of files, in order; None for one that is not there."""


class Fingerprint(Struct, frozen=True):
    """One look.

    Args:
        shared: what holds for all checkouts of the repository: a hash for each name.
        worktree: what holds for this one only.
        values: what there is to show for a name.
        watched: the files that have been looked at, or for.
        stamp: what `stat` said of them before they were read.
    """

    shared: dict[str, str] = field(default_factory=dict)
    worktree: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    watched: tuple[str, ...] = ()
    stamp: Stamp = ()


def added(now: Mapping[str, str], before: Mapping[str, str]) -> list[str]:
    """The names that are new or different. What is gone runs nothing."""
    return sorted(name for name, value in now.items() if before.get(name) != value)


def of(settings: Sequence[Setting], place: Location) -> Fingerprint:
    """Look at the repository. Blocks on the disk.

    Args:
        settings: all that hold in the checkout.
        place: the checkout; its `common_dir` is known.
    """
    common = place.common_dir or place.git_dir
    top = place.work_tree
    found = Fingerprint(stamp=())
    watched = [*always_watched(place)]
    ours = [setting for setting in settings if setting.scope != "person"]
    watched += [setting.origin for setting in ours if setting.origin]
    files: list[tuple[dict[str, str], str, Path]] = []
    for key, values in _counted(settings).items():
        # What the main checkout has of its own lies beside what all have.
        for_all = values[-1].scope == "repository" or place.git_dir == common
        into = found.shared if for_all else found.worktree
        text = "\0".join(setting.value for setting in values)
        into[f"config {key}"] = _hash(text.encode("utf-8", "surrogateescape"))
        found.values[f"config {key}"] = values[-1].value
        for setting in values:
            files += _files_named(setting, found, top, common)
    hooks, hooks_are_shared = _hooks(settings, common, top)
    into = found.shared if hooks_are_shared else found.worktree
    for directory in hooks:
        watched.append(os.fspath(directory))
        for path in _below(directory):
            watched.append(os.fspath(path))
            if not path.name.endswith(".sample"):
                files.append((into, f"hook {_name(path, top, common)}", path))
    watched += [os.fspath(path) for _, _, path in files]
    watched = [*dict.fromkeys(watched)]
    stamp = stamp_of(watched)
    for into, name, path in files:
        content = _content(path)
        if content is not None:
            into[name] = content
    attributes = _attributes(common / "info" / "attributes")
    if attributes:
        found.shared["info/attributes"] = _hash(attributes)
    return Fingerprint(found.shared, found.worktree, found.values, tuple(watched), stamp)


def always_watched(place: Location) -> list[str]:
    """The files in which the first change would be."""
    common = place.common_dir or place.git_dir
    names = ("config", "config.worktree", "hooks", "info/attributes")
    return [*(os.fspath(common / name) for name in names), f"{place.git_dir}/config.worktree"]


def stamp_of(files: Iterable[str]) -> Stamp:
    """Return the `stat` of these files now."""
    return tuple(_stat(file) for file in files)


def _counted(settings: Sequence[Setting]) -> dict[str, list[Setting]]:
    """The settings of the repository that run programs, except for what the person has, too."""
    own = {setting.key: setting.value for setting in settings if setting.scope == "person"}
    counted: dict[str, list[Setting]] = {}
    for setting in settings:
        if (
            setting.scope != "person"
            and runs_programs(setting.key, setting.value)
            and own.get(setting.key) != setting.value
        ):
            counted.setdefault(setting.key, []).append(setting)
    return counted


def _files_named(
    setting: Setting, found: Fingerprint, top: Path | None, common: Path
) -> Iterator[tuple[dict[str, str], str, Path]]:
    """Files that a setting brings in or runs, as far as somebody at work in a worktree has them."""
    if setting.key.partition(".")[0] in {"include", "includeif"}:
        path = Path(os.path.dirname(setting.origin)) / os.path.expanduser(setting.value)
        yield found.shared, f"file {path}", path
        return
    try:
        words = shlex.split(setting.value)
    except ValueError:
        words = setting.value.split()
    for word in words:
        path = Path(word)
        if path.is_absolute():
            if common in path.parents:
                yield found.shared, f"file {path}", path
        elif top is not None and len(word) < 1000 and os.path.isfile(top / word):
            yield found.worktree, f"file {word}", top / word


def _hooks(settings: Sequence[Setting], common: Path, top: Path | None) -> tuple[list[Path], bool]:
    """Return the directory of hooks, and whether it is the same for all checkouts."""
    chosen = [setting for setting in settings if setting.key == "core.hookspath"]
    if not chosen:
        return [common / "hooks"], True
    path = Path(os.path.expanduser(chosen[-1].value))
    if path.is_absolute():
        # Those that the person has for all repositories are the person's.
        return ([] if chosen[-1].scope == "person" else [path]), True
    if top is None:
        return [], True
    # Husky has a directory `_` whose programs only call those beside it.
    more = [top / path.parent] if path.name == "_" else []
    return [top / path, *more], False


def _below(directory: Path) -> list[Path]:
    found: list[Path] = []
    for above, directories, files in os.walk(directory):
        directories.sort()
        found += (Path(above) / name for name in (*directories, *sorted(files)))
        if len(found) > MOST_HOOKS:
            break
    return found[:MOST_HOOKS]


def _name(path: Path, top: Path | None, common: Path) -> str:
    for above in (common, top):
        if above is not None and above in path.parents:
            return os.fspath(path.relative_to(above))
    return os.fspath(path)


def _attributes(file: Path) -> bytes:
    """The lines that choose a filter or a driver."""
    content = _read(file) or b""
    return b"\n".join(
        line for line in content.split(b"\n") if b"filter" in line or b"merge" in line
    )


def _content(path: Path) -> str | None:
    data = _read(path)
    if data is None:
        return None
    runs = b"x" if os.access(path, os.X_OK) else b"-"
    return _hash(runs + data)


def _read(path: Path) -> bytes | None:
    try:
        if not os.path.isfile(path):
            return None
        with path.open("rb") as file:
            return file.read(_MOST_BYTES)
    except OSError:
        # It cannot be read, so git cannot run it either.
        return None


def _stat(file: str) -> tuple[int, ...] | None:
    try:
        found = os.stat(file)
    except (OSError, ValueError):
        return None
    return (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_mode)


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
