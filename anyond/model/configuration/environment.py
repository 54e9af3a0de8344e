"""The part of the daemon's environment that goes on to the programs it starts: see the table."""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from fnmatch import fnmatchcase

from anyond.model.configuration.parental import PARENTAL, Parental

_STAYS = "ANYON_DEMO_*"

_BEFORE_BUNDLER = "BUNDLER_ORIG_"
_NOT_SET_BEFORE = "BUNDLER_ENVIRONMENT_PRESERVER_INTENTIONALLY_NIL"


def personal(environ: Mapping[str, str], own_venv: str = sys.prefix) -> dict[str, str]:
    """Return the part of the environment `environ` that goes on to the programs that the daemon
    starts.

    Args:
        own_venv: the virtual environment that the daemon is installed in, if it is in one.
    """
    remaining = {name: value for name, value in environ.items() if not _is_parental(name, environ)}
    for part in ("NAME", "EMAIL"):
        author = environ.get(f"GIT_AUTHOR_{part}")
        if author is not None and author == environ.get(f"GIT_COMMITTER_{part}"):
            remaining[f"GIT_AUTHOR_{part}"] = author
    for name in ("RUBYLIB", "RUBYOPT", "BUNDLE_GEMFILE", "BUNDLER_VERSION", "RB_USER_INSTALL"):
        before = environ.get(_BEFORE_BUNDLER + name, _NOT_SET_BEFORE)
        if before != _NOT_SET_BEFORE:
            remaining[name] = before
    if remaining.get("GIT_EDITOR") == ":":  # git's own word to its hooks for "there is no editor"
        del remaining["GIT_EDITOR"]
    if remaining.get("VIRTUAL_ENV") == own_venv:
        del remaining["VIRTUAL_ENV"]
        remaining.pop("VIRTUAL_ENV_PROMPT", None)
    return remaining


def _is_parental(name: str, environ: Mapping[str, str]) -> bool:
    return any(
        not kind.if_set or any(other in environ for other in kind.if_set) for kind in _kinds(name)
    )


@functools.cache
def _kinds(name: str) -> tuple[Parental, ...]:
    if fnmatchcase(name, _STAYS):
        return ()
    return tuple(
        kind
        for kind in PARENTAL
        if any(fnmatchcase(name, pattern) for pattern in kind.names.split())
    )
