"""Checking that nobody else on this machine can change things in a directory."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from pathlib import Path

_ENTER = stat.S_IXGRP | stat.S_IXOTH


def weakness(directory: Path) -> str | None:
    """Return the reason why somebody else could swap what lies in `directory`, as the end of a
    sentence about it; None if nobody could. Blocks on the disk.

    It must belong to whoever runs Anyon, and nobody else may write in it or in a directory above
    it. Root always may. Where others cannot even get in, modes further down do not matter.

    Raises:
        OSError: it may not be looked at, or is not there.
    """
    real = Path(os.path.realpath(directory))
    me, own = os.geteuid(), os.stat(real)
    if own.st_uid != me:
        return f"it belongs to {_user(own.st_uid)}; choose one of your own, or change its owner"
    states = [(place, os.stat(place)) for place in (real, *real.parents)]
    if any(state.st_uid == me and not state.st_mode & _ENTER for _, state in states):
        return None
    for place, state in states:
        # With the sticky bit (/tmp) others may add something, but not replace what is ours.
        sticky = state.st_mode & stat.S_ISVTX and place != real
        if state.st_mode & stat.S_IWOTH and not sticky:
            return f"everybody may write in {place}; take that away with chmod o-w"
        if state.st_mode & stat.S_IWGRP and not sticky and not _is_private(state):
            group = _group(state.st_gid)
            return f"the group {group} may write in {place}; take that away with chmod g-w"
    return None


def _is_private(state: os.stat_result) -> bool:
    """Return whether the group is root's, or has the name of the owner, as many systems give one to
    each user, and nobody else in it.
    """
    if state.st_gid == 0:
        return True
    try:
        group = grp.getgrgid(state.st_gid)
        owner = pwd.getpwuid(state.st_uid).pw_name
    except KeyError:
        return False
    return group.gr_name == owner and set(group.gr_mem) <= {owner}


def _user(uid: int) -> str:
    try:
        return f"the user {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"the user with the id {uid}"


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return f"with the id {gid}"
