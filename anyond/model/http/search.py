"""Search requests for a project's files, and their results."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class SearchMode(StrEnum):
    """`TASK_FORM` leaves out what git ignores, `SETTINGS` does not."""

    TASK_FORM = "TaskForm"
    SETTINGS = "Settings"


class MatchType(StrEnum):
    """The place in a path where the text was found, the best first."""

    FILE_NAME = "FileName"
    DIRECTORY_NAME = "DirectoryName"
    FULL_PATH = "FullPath"


class SearchResult(Struct, frozen=True, kw_only=True):
    """A file or directory of a project; `path` is relative to the repository."""

    path: str
    is_file: bool
    match_type: MatchType
