"""A disk that remembers every write, and what a power loss may leave of it.

Theory of operation. `Live` is a file system in memory that hands each change to `record`. From the
changes up to some moment, `remaining` makes what the disk may have after a power loss then. What
holds is what file systems with a journal promise (ext4, XFS, APFS):

- Bytes of a file are there if it was synced after they were written. Of later ones any pages may
  be there, each as it was after some write, and any may not; a file may have grown, and its new
  pages be zeros.
- Changes of names and sizes come to the disk in their order. A sync of a file or directory brings
  those up to the latest one of its own; `fdatasync` does, too, but a file that has kept its size
  and name needs nothing. Of later ones any number may be there, the earliest first.
- Git writes the pages of many new objects out, which is not seen here, and then syncs one file
  called `bulk_fsync_…` for all of them (`core.fsyncMethod=batch`).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from typing import NamedTuple

PAGE = 4096
ROOT = 1


class Node:
    """A file, a directory, a link or a socket."""

    __slots__ = ("data", "entries", "id", "mode", "mtime", "nlink", "opened", "target")

    def __init__(self, number: int, mode: int, target: bytes = b"", mtime: float = 0.0) -> None:
        self.id = number
        self.mode = mode
        self.target = target
        self.data = bytearray()
        self.entries: dict[bytes, int] = {}
        self.nlink = 0
        self.opened = 0
        self.mtime = mtime


class Change(NamedTuple):
    """One change, or one sync.

    Args:
        at: the monotonic clock, before whoever asked for it was answered.
        kind: `node`, `mode`, `write`, `size`, `link`, `unlink`, `rename`, `sync` or `all`.
        node: which file; for `link`, `unlink` and `rename` what the name stands for.
        number: an offset, a size, a mode, or the directory.
        data: bytes, or the name.
        directory: where a `rename` leads.
        name: what it is called there.
    """

    at: float
    kind: str
    node: int = 0
    number: int = 0
    data: bytes = b""
    directory: int = 0
    name: bytes = b""


_NAMES = ("mode", "size", "link", "unlink", "rename")


class Left:
    """The content of a disk: nodes by number."""

    def __init__(self) -> None:
        self.nodes = {ROOT: Node(ROOT, stat.S_IFDIR | 0o700)}

    def apply(self, change: Change) -> None:
        nodes = self.nodes
        kind, node = change.kind, nodes.get(change.node)
        if kind == "node":
            nodes[change.node] = Node(change.node, change.number, change.data, change.at)
        elif node is None:
            return
        elif kind == "write":
            end = change.number + len(change.data)
            if len(node.data) < end:
                node.data.extend(bytes(end - len(node.data)))
            node.data[change.number : end] = change.data
        elif kind == "size":
            del node.data[change.number :]
            node.data.extend(bytes(change.number - len(node.data)))
        elif kind == "mode":
            node.mode = change.number
        elif kind == "link":
            nodes[change.number].entries[change.data] = change.node
        elif kind == "unlink":
            nodes[change.number].entries.pop(change.data, None)
        elif kind == "rename":
            nodes[change.number].entries.pop(change.data, None)
            nodes[change.directory].entries[change.name] = change.node

    def write_out(self, target: Path) -> None:
        """Put all of it into the empty directory `target`; sockets are left out."""
        made: dict[int, str] = {}

        def put(node: Node, path: str) -> None:
            for name, number in node.entries.items():
                inner, child = os.path.join(path, os.fsdecode(name)), self.nodes[number]
                if number in made:
                    os.link(made[number], inner)
                elif stat.S_ISDIR(child.mode):
                    os.mkdir(inner)
                    put(child, inner)
                    os.chmod(inner, stat.S_IMODE(child.mode))
                elif stat.S_ISLNK(child.mode):
                    os.symlink(os.fsdecode(child.target), inner)
                elif stat.S_ISREG(child.mode):
                    with open(inner, "wb") as file:
                        file.write(child.data)
                    os.chmod(inner, stat.S_IMODE(child.mode))
                    made[number] = inner

        put(self.nodes[ROOT], str(target))

    def find(self, path: str) -> Node | None:
        """Return the node at a path from the root."""
        node = self.nodes[ROOT]
        for part in path.strip("/").split("/"):
            number = node.entries.get(os.fsencode(part))
            if number is None:
                return None
            node = self.nodes[number]
        return node


def remaining(changes: Iterable[Change], until: float, dice: Random, worst: bool = False) -> Left:
    """Return what a power loss at the moment `until` may leave.

    Args:
        worst: nothing that was not synced is there.
    """
    happened: list[Change] = []
    for change in changes:
        if change.at > until:
            break
        happened.append(change)
    synced: dict[int, int] = {}  # up to which change the bytes of a file are there
    named: dict[int, int] = {}  # the latest change of names and sizes that has to do with a node
    sizes: dict[int, int] = {}
    written_out: set[int] = set()  # by git, which has the kernel do it, and then syncs one for all
    for_all: set[int] = set()
    ordered, everything = -1, -1
    for at, change in enumerate(happened):
        if change.kind == "all":
            ordered = everything = at
        elif change.kind == "sync":
            synced[change.node] = at
            ordered = max(ordered, named.get(change.node, -1))
            if change.node in for_all:
                synced.update(dict.fromkeys(written_out, at))
        elif change.kind in _NAMES:
            if change.kind == "link" and change.data.startswith(b"tmp_obj_"):
                written_out.add(change.node)
            elif change.kind == "link" and change.data.startswith(b"bulk_fsync_"):
                for_all.add(change.node)
            for node in (change.node, change.number, change.directory):
                if change.kind not in ("mode", "size") or node == change.node:
                    named[node] = at
        elif change.kind == "write" and (
            change.number + len(change.data) > sizes.get(change.node, 0)
        ):
            sizes[change.node] = change.number + len(change.data)
            named[change.node] = at  # it has grown
        if change.kind == "size":
            sizes[change.node] = change.number
    luck = 0.0 if worst else dice.choice((0.0, 0.3, 0.7, 1.0))
    if not worst and ordered < len(happened):
        ordered = dice.choice((ordered, dice.randint(ordered, len(happened)), len(happened)))
    left = Left()
    pages = _Pages(dice, luck)
    for at, change in enumerate(happened):
        if change.kind == "node" or (change.kind in _NAMES and at <= ordered):
            left.apply(change)
        elif change.kind == "write":
            if at <= max(synced.get(change.node, -1), everything):
                left.apply(change)
            else:
                _write_some(left, change, pages, grown=at <= ordered)
    return left


class _Pages:
    """The pages that have come to the disk, each as it was after some write.

    The kernel writes a page as it is, with all that was ever written to it: if an earlier write is
    not there, no later one is.
    """

    def __init__(self, dice: Random, luck: float) -> None:
        self._dice = dice
        self._luck = luck
        self._behind: set[tuple[int, int]] = set()

    def are_up_to_date(self, node: int, page: int) -> bool:
        if (node, page) not in self._behind and self._dice.random() >= self._luck:
            self._behind.add((node, page))
        return (node, page) not in self._behind


def _write_some(left: Left, change: Change, pages: _Pages, *, grown: bool) -> None:
    node = left.nodes[change.node]
    at, end = change.number, change.number + len(change.data)
    while at < end:
        upto = min(end, (at // PAGE + 1) * PAGE)
        if pages.are_up_to_date(change.node, at // PAGE):
            piece = change.data[at - change.number : upto - change.number]
            left.apply(Change(0.0, "write", change.node, at, piece))
        at = upto
    if grown and len(node.data) < end:
        node.data.extend(bytes(end - len(node.data)))


class Live(Left):
    """The file system as those see it who use it.

    Args:
        record: gets every change, in order.
        clock: the moment of a change.
    """

    def __init__(self, record: Callable[[Change], object], clock: Callable[[], float]) -> None:
        super().__init__()
        self._record = record
        self._clock = clock
        self._next = ROOT + 1
        self.nodes[ROOT].nlink = 2

    def change(self, kind: str, node: int, number: int = 0, data: bytes = b"") -> None:
        """Make a change, and record it."""
        change = Change(self._clock(), kind, node, number, data)
        self.apply(change)
        self._record(change)

    def make(self, directory: int, name: bytes, mode: int, target: bytes = b"") -> Node:
        """A new node with a name."""
        number = self._next
        self._next += 1
        self.change("node", number, mode, target)
        self.link(number, directory, name)
        return self.nodes[number]

    def link(self, number: int, directory: int, name: bytes) -> None:
        """Give a node another name."""
        self.change("link", number, directory, name)
        self.nodes[number].nlink += 1
        self.touch(directory)

    def unlink(self, directory: int, name: bytes) -> None:
        """Take a name away, and forget what has none any more and is not open."""
        number = self.nodes[directory].entries[name]
        self.change("unlink", number, directory, name)
        self.nodes[number].nlink -= 1
        self.touch(directory)
        self.forget(number)

    def rename(self, old: int, name: bytes, new: int, to: bytes) -> None:
        """Move a name, in the place of another if there is one."""
        number = self.nodes[old].entries[name]
        replaced = self.nodes[new].entries.get(to)
        if replaced == number:
            return
        moved = Change(self._clock(), "rename", number, old, name, new, to)
        self.apply(moved)
        self._record(moved)
        self.touch(old)
        self.touch(new)
        if replaced is not None:
            self.nodes[replaced].nlink -= 1
            self.forget(replaced)

    def touch(self, number: int) -> None:
        self.nodes[number].mtime = self._clock()

    def forget(self, number: int) -> None:
        """Free the bytes of what nobody can reach; the number is not given out again."""
        node = self.nodes[number]
        if node.nlink <= 0 and node.opened <= 0:
            node.data = bytearray()
