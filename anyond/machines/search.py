"""Which files of a project a person probably means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from anyond.model.search import MatchType

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
        self._names = [path.rfind("/") + 1 for path in self._folded]

    def __len__(self) -> int:
        return len(self._paths)

    def find(self, text: str, most: int) -> Iterator[tuple[str, MatchType]]:
        """Paths that contain `text` in any case, with where it is in them; the best first.

        Args:
            most: how many of each kind there can be use for.
        """
        wanted = fold(text)
        in_name: list[str] = []
        in_parent: list[str] = []
        elsewhere: list[str] = []
        for path, folded, name in zip(self._paths, self._folded, self._names, strict=True):
            if wanted not in folded:
                continue
            if folded.find(wanted, name) >= 0:
                in_name.append(path)
                if len(in_name) == most:
                    break  # nothing better can come
            elif name and (len(in_parent) < most or len(elsewhere) < most):
                parent = folded.rfind("/", 0, name - 1) + 1
                if folded.find(wanted, parent, name - 1) < 0:
                    elsewhere.append(path)
                elif len(in_parent) < most:
                    in_parent.append(path)
        for kind, paths in (
            (MatchType.FILE_NAME, in_name),
            (MatchType.DIRECTORY_NAME, in_parent),
            (MatchType.FULL_PATH, elsewhere),
        ):
            for path in paths[:most]:
                yield path, kind


def _above(path: str) -> Iterator[str]:
    """The directories that `path` is in, the nearest first; the top is not among them."""
    while path := path.rpartition("/")[0]:
        yield path


def fold(text: str) -> str:
    """`text` without the difference of cases."""
    return text.lower()
