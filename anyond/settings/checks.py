"""Rules for the texts of settings, beyond their type."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping

from anyond.settings.names import variant_name


def _variant(text: str) -> str | None:
    return None if variant_name(text) else "must be a name"


def _directory(text: str) -> str | None:
    if "\0" in text or not os.path.isabs(text):
        return "must be an absolute path"
    return None


def _branch_prefix(text: str) -> str | None:
    """An empty prefix is allowed: branches then have none."""
    if len(text) > 100:
        return "must not be longer than 100 characters"
    forbidden = (
        "/" in text
        or text.startswith((".", "-"))
        or text.endswith((".", ".lock"))
        or ".." in text
        or "@{" in text
        or text in {"@", "refs", "heads", "remotes"}
        or re.search(r"[\x00-\x20\x7f~^:?*\[\\]", text) is not None
    )
    return (
        "must be one part of a branch name that Git accepts, without a slash" if forbidden else None
    )


def _ssh_name(text: str) -> str | None:
    """Host and user names become part of an address and of a command."""
    if re.fullmatch(r"[^\s\x00-\x1f\x7f/@\\-][^\s\x00-\x1f\x7f/@\\]*", text):
        return None
    return "must be a plain name, without spaces, slashes or @"


CHECKS: Mapping[str, Callable[[str], str | None]] = {
    "variant": _variant,
    "directory": _directory,
    "branch_prefix": _branch_prefix,
    "ssh_name": _ssh_name,
}
"""By the name that the declaration of a setting has for it: what is wrong with a text, or None."""
