"""Search among the files of a project by what a person probably means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from sys import intern

from anyond.model.http.search import MatchType

Ranks = Mapping[str, tuple[int, int]]
"""Of each path that history knows: how many commits changed it, and when the latest was made."""

NEVER = (0, 0)


class PathIndex:
    """The paths of a repository with their directories, in the order in which they are offered.

    What was changed more often comes first, then what was changed later, then files before
    directories, then short paths.

    Args:
        files: relative paths, with `/` between their parts.
        directories: those that count although no file in them does.
    """

    def __init__(self, files: Iterable[str], directories: Iterable[str], ranks: Ranks) -> None:
        scores: dict[str, tuple[int, int]] = dict.fromkeys(directories, NEVER)
        found: list[tuple[int, int, bool, int, str]] = []
        for path in files:
            rank = ranks.get(path, NEVER)
            found.append((-rank[0], -rank[1], False, len(path), path))
            for parent in _above(path):
                known = scores.get(parent)
                if known is not None and known >= rank:
                    break  # and so are all above it
                scores[parent] = rank
        for path in list(scores):
            for parent in _above(path):
                scores.setdefault(parent, NEVER)
        found += [(-n, -at, True, len(path), path) for path, (n, at) in scores.items() if path]
        found.sort()
        self._paths = [path for *_, path in found]
        self._folded = [fold(path) for path in self._paths]
        split = [path.rpartition("/") for path in self._folded]
        self._names = [name for _, _, name in split]
        self._parents = [intern(parent.rpartition("/")[2]) for parent, _, _ in split]

    def __len__(self) -> int:
        return len(self._paths)

    def find(self, text: str, most: int) -> Iterator[tuple[str, MatchType]]:
        """Paths that contain `text` in any case, with where it is in them; the best first.

        Args:
            most: how many there can be use for; at most so many of each kind are told.
        """
        folded = fold(text)
        # List by list: one loop with all these questions in it takes several times as long.
        found = [n for n, path in enumerate(self._folded) if folded in path]
        in_name = [n for n in found if folded in self._names[n]][:most]
        for n in in_name:
            yield self._paths[n], MatchType.FILE_NAME
        if len(in_name) == most:
            return
        found = [n for n in found if folded not in self._names[n]]
        in_parent = [n for n in found if folded in self._parents[n]][:most]
        for n in in_parent:
            yield self._paths[n], MatchType.DIRECTORY_NAME
        if len(in_parent) < most:
            elsewhere = (n for n in found if folded not in self._parents[n])
            for n in islice(elsewhere, most):
                yield self._paths[n], MatchType.FULL_PATH


def _above(path: str) -> Iterator[str]:
    """The directories that `path` is in, the nearest first; the top is not among them."""
    while path := path.rpartition("/")[0]:
        yield path


def fold(text: str) -> str:
    """`text` without the difference of cases."""
    return text.lower()
