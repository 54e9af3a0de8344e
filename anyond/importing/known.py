"""Records that are here already: known by id, by the path of a repository, or by the name of a
tag.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from anyond.store.board import imported, projects, tags
from anyond.store.engine.transaction import Reader
from anyond.store.runs import processes

OLD_FOLDER = ".vibe-images"
"""Where links of vibe-kanban say that a picture is."""


class Known(Struct, frozen=True):
    """The records that are here already."""

    tasks: set[str]
    attempts: set[str]
    processes: dict[str, str]
    """The attempt of each."""
    killed: dict[str, str]
    """When each of those ended."""
    merges: set[str]
    projects: dict[str, str]
    paths: dict[str, str]
    tags: set[str]
    lacking: dict[str, str]
    """The descriptions of tasks that have links to pictures which did not come with them."""
    deleted: Callable[[str], bool]
    """Whether it came with an earlier import and is not wanted any more."""

    @classmethod
    def nothing(cls) -> Known:
        """Return the state before the first start."""
        return cls(set(), set(), {}, {}, set(), {}, {}, set(), {}, lambda _: False)

    @classmethod
    def read(cls, reader: Reader, *, again: bool) -> Known:
        """Read the state from `reader`.

        Args:
            again: whether what was deleted here since an earlier import shall come back.
        """
        every = projects.fetch_all(reader)
        came: set[str] = set() if again else imported.fetch_all(reader)
        return cls(
            deleted=came.__contains__,
            tasks=_ids(reader, "tasks"),
            attempts=_ids(reader, "task_attempts"),
            processes=processes.attempt_ids(reader),
            killed=processes.killed(reader),
            merges=_ids(reader, "merges"),
            projects={project.id: project.id for project in every},
            paths={project.git_repo_path: project.id for project in every},
            tags={tags.fold(tag.tag_name) for tag in tags.fetch_all(reader)},
            lacking=dict(
                reader.execute(
                    "SELECT id, description FROM tasks WHERE instr(description, ?)",
                    (f"{OLD_FOLDER}/",),
                )
            ),
        )


def _ids(reader: Reader, table: str) -> set[str]:
    return {id for (id,) in reader.execute(f"SELECT id FROM {table}")}
