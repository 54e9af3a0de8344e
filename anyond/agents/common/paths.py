"""Paths that an agent reports, relative to its worktree."""

from __future__ import annotations

import posixpath


class Paths:
    """Makes paths relative to the worktree, under every name that it is known to have."""

    def __init__(self, cwd: str) -> None:
        self._roots: list[str] = []
        self.learn(cwd)

    def learn(self, cwd: str) -> None:
        """Add a name of the worktree; macOS shows /tmp and /var below /private, or not."""
        root = cwd.rstrip("/")
        if not root.startswith("/"):
            return
        for name in (root, "/private" + root, root.removeprefix("/private")):
            if name and name not in self._roots:
                self._roots.append(name)

    def relative(self, path: str) -> str:
        """`path` below the worktree; "." for the worktree, unchanged if it is elsewhere."""
        if not path.startswith("/"):
            return path
        clean = posixpath.normpath(path)
        for root in self._roots:
            if clean == root:
                return "."
            if clean.startswith(root + "/"):
                return clean[len(root) + 1 :]
        return path


def relative_path(path: str, cwd: str) -> str:
    """`path` as seen from `cwd`: "." for it, unchanged if outside. Looks at no file system."""
    path = path.removeprefix("file://")
    if not path.startswith("/"):
        return path
    plain = posixpath.normpath(path)
    home = posixpath.normpath(cwd)
    # macOS shows the same directory under /private and without it.
    for root in (home, "/private" + home, home.removeprefix("/private")):
        if plain == root:
            return "."
        if plain.startswith(root.rstrip("/") + "/"):
            return plain[len(root.rstrip("/")) + 1 :]
    return path
