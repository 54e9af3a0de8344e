"""Git's configuration in a checkout, and the origin of each setting."""

from __future__ import annotations

import os

from anyond.git.program.programs import Scope, Setting

LIST = ("config", "--list", "--show-scope", "--show-origin", "-z", "--includes")

_SCOPES: dict[str, Scope] = {"local": "repository", "worktree": "worktree"}


def parse(listed: bytes) -> list[Setting]:
    """Parse the output of `git config` for `LIST`."""
    fields = iter(os.fsdecode(listed).split("\0"))
    found = []
    for scope in fields:
        if not scope:
            break
        origin = next(fields)
        key, equals, value = next(fields).partition("\n")
        kind, _, file = origin.partition(":")
        found.append(
            Setting(
                scope=_SCOPES.get(scope, "person"),
                origin=file if kind == "file" else "",
                key=key,
                value=value if equals else "true",
            )
        )
    return found
