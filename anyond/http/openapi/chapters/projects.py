"""Declarations of the chapters Projects, Filesystem and Containers."""

from __future__ import annotations

import hashlib

from anyond.files.directory import DirectoryEntry, Listing
from anyond.http.openapi import examples, problems
from anyond.http.openapi.operation import Chapter, Operation, key, needed, possible
from anyond.model.answers import ContainerInfo, EditorOpened, GitProgram, GitPrograms
from anyond.model.bodies import AcceptGitPrograms, NewProject, OpenEditor, ProjectPatch
from anyond.model.rows import Branch, Project
from anyond.model.search import MatchType, SearchMode, SearchResult
from anyond.model.settings import EditorType

_KEY = key("id", "project", examples.PROJECT_ID)
_ENTRY = DirectoryEntry(
    name="tea",
    path=examples.REPOSITORY,
    is_directory=True,
    is_git_repo=True,
    last_modified=1704672000000,
)
_NOTHING = hashlib.sha256().hexdigest()
_PROGRAMS = GitPrograms(
    withheld=True,
    always=False,
    digest=_NOTHING,
    changes=[
        GitProgram(name="config core.hookspath", value=".tools/hooks", hash=_NOTHING),
    ],
    task_attempt_id=examples.ATTEMPT_ID,
    since=examples.MOMENT,
)

PROJECTS = Chapter(
    "Projects",
    "Repositories that a person has handed over.",
    (
        Operation(
            method="GET",
            path="/api/projects",
            summary="List projects",
            answer=list[Project],
            example=[examples.PROJECT],
            cached=True,
        ),
        Operation(
            method="GET",
            path="/api/projects/{id}",
            summary="Get project",
            key=_KEY,
            answer=Project,
            example=examples.PROJECT,
            cached=True,
            problems=(problems.NOT_FOUND,),
        ),
        Operation(
            method="POST",
            path="/api/projects",
            summary="Create project",
            text=(
                "`use_existing_repo` false makes a new repository in an empty place. Agents and"
                " scripts get the variables of `environment`; null removes one."
            ),
            body=NewProject,
            send=NewProject(
                name="Tea",
                git_repo_path=examples.REPOSITORY,
                use_existing_repo=True,
                setup_script="npm install",
            ),
            answer=Project,
            example=examples.PROJECT,
            problems=(*problems.GIT, problems.PATH_TAKEN),
        ),
        Operation(
            method="PUT",
            path="/api/projects/{id}",
            summary="Update project",
            text=(
                'What is null or left out stays; "" clears a script. `environment` is replaced as a'
                " whole; {} clears it."
            ),
            key=_KEY,
            body=ProjectPatch,
            send=ProjectPatch(dev_script="pnpm dev"),
            answer=Project,
            example=examples.PROJECT,
            problems=(*problems.GIT, problems.NOT_FOUND, problems.PATH_TAKEN),
        ),
        Operation(
            method="GET",
            path="/api/projects/{id}/branches",
            summary="Get project branches",
            key=_KEY,
            answer=list[Branch],
            example=[
                Branch(
                    name="main",
                    is_current=True,
                    is_remote=False,
                    last_commit_date=examples.MOMENT,
                )
            ],
            cached=True,
            problems=(*problems.GIT, problems.NOT_FOUND),
        ),
        Operation(
            method="GET",
            path="/api/projects/{id}/search",
            summary="Search project files",
            text="The best match first, then what history changed most.",
            key=_KEY,
            query=(
                needed("q", str, "A part of a path.", "README"),
                possible("mode", SearchMode, "`Settings` finds what git ignores, too."),
            ),
            answer=list[SearchResult],
            example=[SearchResult(path="README.md", is_file=True, match_type=MatchType.FILE_NAME)],
            problems=(*problems.GIT, problems.NOT_FOUND),
        ),
        Operation(
            method="GET",
            path="/api/projects/{id}/git-programs",
            summary="Get programs of git",
            text="Whether git, as Anyon starts it, runs hooks, filters and other programs that the"
            " repository names. What a run has changed of them is withheld until it is accepted.",
            key=_KEY,
            answer=GitPrograms,
            example=_PROGRAMS,
            problems=(*problems.GIT, problems.NOT_FOUND),
        ),
        Operation(
            method="POST",
            path="/api/projects/{id}/git-programs/accept",
            summary="Accept programs of git",
            text="What is there now may run; with `always`, so may whatever runs change later.",
            key=_KEY,
            body=AcceptGitPrograms,
            optional=True,
            send=AcceptGitPrograms(digest=_PROGRAMS.digest),
            answer=GitPrograms,
            example=GitPrograms(withheld=False, always=False, digest=_NOTHING),
            problems=(*problems.GIT, problems.NOT_FOUND, problems.GIT_PROGRAMS_CHANGED),
        ),
        Operation(
            method="POST",
            path="/api/projects/{id}/open-editor",
            summary="Open project in editor",
            key=_KEY,
            body=OpenEditor,
            optional=True,
            send=OpenEditor(editor_type=EditorType.CURSOR),
            answer=EditorOpened,
            example=EditorOpened(url=None),
            problems=(*problems.GIT, problems.NOT_FOUND, problems.IMPOSSIBLE),
        ),
        Operation(
            method="DELETE",
            path="/api/projects/{id}",
            summary="Delete project",
            text="With its tasks and attempts; the repository stays.",
            key=_KEY,
            problems=(problems.NOT_FOUND, problems.BUSY),
        ),
    ),
)

FILESYSTEM = Chapter(
    "Filesystem",
    "What a person can choose a repository from.",
    (
        Operation(
            method="GET",
            path="/api/filesystem/directory",
            summary="List directory",
            query=(possible("path", str, "The home directory if left out.", "/home/ada"),),
            answer=Listing,
            example=Listing(entries=[_ENTRY], current_path="/home/ada", truncated=False),
            cached=True,
            problems=(problems.NOT_FOUND, problems.UNREADABLE),
        ),
        Operation(
            method="GET",
            path="/api/filesystem/git-repos",
            summary="List git repositories",
            text="Sought at and below a directory, within bounds of depth and time.",
            query=(possible("path", str, "The usual places if left out.", "/home/ada"),),
            answer=list[DirectoryEntry],
            example=[_ENTRY],
            cached=True,
            problems=(problems.NOT_FOUND, problems.UNREADABLE),
        ),
    ),
)

CONTAINERS = Chapter(
    "Containers",
    "Which attempt a directory belongs to.",
    (
        Operation(
            method="GET",
            path="/api/containers/info",
            summary="Get container info",
            query=(needed("ref", str, "A path in a worktree.", examples.WORKTREE),),
            answer=ContainerInfo,
            example=ContainerInfo(
                attempt_id=examples.ATTEMPT_ID,
                task_id=examples.TASK_ID,
                project_id=examples.PROJECT_ID,
            ),
            cached=True,
            problems=(problems.NOT_FOUND,),
        ),
    ),
)
