"""Examples of the chapter Filesystem."""

from __future__ import annotations

from anyond.api import filesystem
from anyond.api.examples import things
from anyond.api.examples.example import Example, Examples
from anyond.model.http.answers import DirectoryEntry, Listing

_ENTRY = DirectoryEntry(
    name="tea",
    path=things.REPOSITORY,
    is_directory=True,
    is_git_repo=True,
    last_modified=1704672000000,
)

EXAMPLES: Examples = {
    filesystem.LIST_DIRECTORY: Example(
        answer=Listing(entries=[_ENTRY], current_path="/home/ada", truncated=False)
    ),
    filesystem.LIST_GIT_REPOSITORIES: Example(answer=[_ENTRY]),
}
