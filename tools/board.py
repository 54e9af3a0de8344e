"""The check that the built files of the board are those of its sources.

`python -m tools.board` compares the hash of all that `web/` holds with the one that was written
when it was built last (`anyond/http/board/built-from.txt`); that needs no Node. `--build FOLDER`
names a folder with a fresh build, which must be the same byte by byte. `--built` writes the hash.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

SOURCES = Path("web")
SITE = Path("anyond/http/board/site")
BUILT_FROM = Path("anyond/http/board/built-from.txt")
_NOT_SOURCES = frozenset({"node_modules", "tests"})
_ADVICE = "`make web` builds it anew (needs Node)."


def digest(root: Path) -> str:
    """The hash of all sources below `root`, by their names and contents."""
    found = sha256()
    for name, body in _files(root / SOURCES, _NOT_SOURCES):
        found.update(b"%s\0%d\0%s" % (name.encode(), len(body), body))
    return found.hexdigest()


def findings(root: Path, fresh: Path | None = None) -> list[str]:
    """The faults of the built files below `root`, a sentence each.

    Args:
        fresh: a folder with a build of now, to be compared with them.

    Raises:
        OSError: a file cannot be read.
    """
    noted = root / BUILT_FROM
    known = noted.read_text().strip() if noted.exists() else ""
    found = [] if known == digest(root) else [f"The board is stale: web/ has changed. {_ADVICE}"]
    if fresh is None:
        return found
    committed, built = dict(_files(root / SITE)), dict(_files(fresh))
    for name in sorted(committed.keys() | built.keys()):
        if committed.get(name) != built.get(name):
            found.append(f"{SITE / name} is not what web/ makes. {_ADVICE}")
    return found


def _files(folder: Path, without: frozenset[str] = frozenset()) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.iterdir()):
        if path.name in without:
            continue
        if path.is_dir():
            for name, body in _files(path):
                yield f"{path.name}/{name}", body
        else:
            yield path.name, path.read_bytes()


def main(arguments: list[str]) -> int:
    """Check, or note what was built; the exit code says whether all is well."""
    root = Path.cwd()
    if "--built" in arguments:
        (root / BUILT_FROM).write_text(f"{digest(root)}\n")
        return 0
    fresh = Path(arguments[arguments.index("--build") + 1]) if "--build" in arguments else None
    found = findings(root, fresh)
    for finding in found:
        print(finding, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
