"""Settings of one project: declared here once, for bodies and rows."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from anyond.model.fields import Prose, setting

SetupScript = Annotated[
    Prose | None, setting("A script that is run in a new worktree before its first agent.")
]
DevScript = Annotated[
    Prose | None,
    setting("A script that a person starts beside the agents, and that runs until it is stopped."),
]
CleanupScript = Annotated[
    Prose | None, setting("A script that is run after an agent that has changed something.")
]
CopyFiles = Annotated[
    Prose | None,
    setting(
        "Files that git does not have and that are copied into each new worktree: paths or"
        " patterns, separated by commas or lines."
    ),
]
Environment = Annotated[
    dict[str, str | None],
    setting(
        "Variables for its agents, scripts, dev servers and setup helpers; null removes a variable."
    ),
]
KeepServices = Annotated[
    bool,
    setting("Whether what a setup script leaves running lives as long as the attempt."),
]


class ProjectSettings(Struct, frozen=True, kw_only=True):
    """The settings of a project in the body of a request; null keeps what is there."""

    setup_script: SetupScript = None
    dev_script: DevScript = None
    cleanup_script: CleanupScript = None
    copy_files: CopyFiles = None
    environment: Environment | None = None
    keep_services: KeepServices | None = None
