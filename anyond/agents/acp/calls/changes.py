"""Changes of files by a tool call, read from its diffs or else from its arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from anyond.agents.acp.calls.arguments import renaming_in, replacement_in, whole_in
from anyond.agents.common.diff import unified_diff
from anyond.agents.common.paths import relative_path
from anyond.agents.json_rpc.jsonrpc import as_dict, as_text
from anyond.model.entries import (
    FileChange,
    FileChangeDelete,
    FileChangeEdit,
    FileChangeRename,
    FileChangeWrite,
    FileEdit,
)


class Diff(NamedTuple):
    """The old and the new text of a file, or of a piece of it; `gone` if it is deleted."""

    path: str
    old: str
    new: str
    gone: bool


def diff_in(item: Mapping[str, Any], cwd: str) -> Diff:
    """The diff in an item of a tool call's content.

    Args:
        cwd: its path is shown relative to it.
    """
    gone = as_dict(item.get("_meta")).get("kind") == "delete"
    path = relative_path(as_text(item.get("path")), cwd)
    return Diff(path, as_text(item.get("oldText")), as_text(item.get("newText")), gone)


def moved(path: str, to: str, arguments: Mapping[str, Any], cwd: str) -> FileEdit:
    """The renaming of a file.

    Args:
        path, to: where it was and is, if the arguments do not say it.
        arguments: those of the tool call.
    """
    source, target = renaming_in(arguments)
    target = target or to
    changes: list[FileChange] = [FileChangeRename(new_path=relative_path(target, cwd))]
    path = relative_path(source, cwd) if source else path
    return FileEdit(path=path, changes=changes if target else [])


def edited(
    path: str, diffs: Sequence[Diff], arguments: Mapping[str, Any], deleted: bool
) -> FileEdit:
    """Any other change of files.

    Args:
        path: of the file, if the diffs do not say it.
        arguments: those of the tool call, which count if there are no diffs.
        deleted: the tool deletes, whatever it shows.
    """
    paths = list(dict.fromkeys(diff.path for diff in diffs if diff.path))
    if len(paths) > 1:
        # One entry has one path; the headers of the diffs name the others.
        several: list[FileChange] = [
            FileChangeEdit(unified_diff=unified_diff(diff.path, diff.old, diff.new))
            for diff in diffs
        ]
        return FileEdit(path=", ".join(paths), changes=several)
    path = paths[0] if paths else path
    if deleted or any(diff.gone for diff in diffs):
        return FileEdit(path=path, changes=[FileChangeDelete()])
    changes = [_change(path, diff.old, diff.new) for diff in diffs]
    return FileEdit(path=path, changes=changes or _reported_changes(path, arguments))


def _change(path: str, old: str, new: str) -> FileChange:
    if not old:
        return FileChangeWrite(content=new)
    return FileChangeEdit(unified_diff=unified_diff(path, old, new))


def _reported_changes(path: str, arguments: Mapping[str, Any]) -> list[FileChange]:
    if diff := as_text(arguments.get("diff")):
        return [FileChangeEdit(unified_diff=diff)]
    old, new = replacement_in(arguments)
    if old or new:
        return [_change(path, old, new)]
    whole = whole_in(arguments)
    return [FileChangeWrite(content=whole)] if whole else []
