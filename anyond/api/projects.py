"""The chapter Projects: repositories that a person has handed over."""

from __future__ import annotations

from types import NoneType
from typing import Annotated

from msgspec import Meta

from anyond.api.declaration.endpoint import BodyCall, Call, Chapter
from anyond.api.declaration.params import Nothing, OfProject
from anyond.api.declaration.refusal_groups import GIT
from anyond.model.access import Scope
from anyond.model.fields import Line
from anyond.model.http.answers import EditorOpened, GitPrograms
from anyond.model.http.bodies import AcceptGitPrograms, NewProject, OpenEditor, ProjectPatch
from anyond.model.http.search import SearchMode, SearchResult
from anyond.model.refusals.requests import Impossible, NotFound
from anyond.model.refusals.runs import Busy
from anyond.model.refusals.withheld import ProgramsChanged
from anyond.model.refusals.worktrees import PathTaken
from anyond.model.rows import Branch, Project


class Search(OfProject, frozen=True, kw_only=True):
    """Requests for the files of a project that match a text."""

    q: Annotated[Line, Meta(description="A part of a path.", examples=["README"])]
    mode: Annotated[SearchMode, Meta(description="`Settings` finds what git ignores, too.")] = (
        SearchMode.TASK_FORM
    )


LIST_PROJECTS = Call(
    method="GET",
    path="/api/projects",
    summary="List projects",
    params=Nothing,
    answer=list[Project],
    cached=True,
)
GET_PROJECT = Call(
    method="GET",
    path="/api/projects/{id}",
    summary="Get project",
    params=OfProject,
    answer=Project,
    cached=True,
    refusals=(NotFound,),
)
CREATE_PROJECT = BodyCall(
    method="POST",
    path="/api/projects",
    summary="Create project",
    granted_by=Scope.ADMIN,
    params=Nothing,
    text="`use_existing_repo` false makes a new repository in an empty place. Agents and"
    " scripts get the variables of `environment`; null removes one.",
    body=NewProject,
    answer=Project,
    refusals=(*GIT, PathTaken),
)
UPDATE_PROJECT = BodyCall(
    method="PUT",
    path="/api/projects/{id}",
    summary="Update project",
    granted_by=Scope.ADMIN,
    params=OfProject,
    text='What is null or left out stays; "" clears a script. `environment` is replaced as a'
    " whole; {} clears it.",
    body=ProjectPatch,
    answer=Project,
    refusals=(*GIT, NotFound, PathTaken),
)
GET_PROJECT_BRANCHES = Call(
    method="GET",
    path="/api/projects/{id}/branches",
    summary="Get project branches",
    params=OfProject,
    answer=list[Branch],
    cached=True,
    refusals=(*GIT, NotFound),
)
SEARCH_PROJECT_FILES = Call(
    method="GET",
    path="/api/projects/{id}/search",
    summary="Search project files",
    params=Search,
    text="The best match first, then what history changed most.",
    answer=list[SearchResult],
    refusals=(*GIT, NotFound),
)
GET_PROGRAMS_OF_GIT = Call(
    method="GET",
    path="/api/projects/{id}/git-programs",
    summary="Get programs of git",
    params=OfProject,
    text="Whether git, as Anyon starts it, runs hooks, filters and other programs that the"
    " repository names. What a run has changed of them is withheld until it is accepted.",
    answer=GitPrograms,
    refusals=(*GIT, NotFound),
)
ACCEPT_PROGRAMS_OF_GIT = BodyCall(
    method="POST",
    path="/api/projects/{id}/git-programs/accept",
    summary="Accept programs of git",
    granted_by=Scope.ADMIN,
    params=OfProject,
    text="What is there now may run; with `always`, so may whatever runs change later.",
    body=AcceptGitPrograms,
    optional=True,
    answer=GitPrograms,
    refusals=(*GIT, NotFound, ProgramsChanged),
)
OPEN_PROJECT_IN_EDITOR = BodyCall(
    method="POST",
    path="/api/projects/{id}/open-editor",
    summary="Open project in editor",
    granted_by=Scope.ADMIN,
    params=OfProject,
    body=OpenEditor,
    optional=True,
    answer=EditorOpened,
    refusals=(*GIT, NotFound, Impossible),
)
DELETE_PROJECT = Call(
    method="DELETE",
    path="/api/projects/{id}",
    summary="Delete project",
    granted_by=Scope.LAND,
    params=OfProject,
    text="With its tasks and attempts; the repository stays.",
    answer=NoneType,
    refusals=(NotFound, Busy),
)

CHAPTER = Chapter(
    "Projects",
    "Repositories that a person has handed over.",
    (
        LIST_PROJECTS,
        GET_PROJECT,
        CREATE_PROJECT,
        UPDATE_PROJECT,
        GET_PROJECT_BRANCHES,
        SEARCH_PROJECT_FILES,
        GET_PROGRAMS_OF_GIT,
        ACCEPT_PROGRAMS_OF_GIT,
        OPEN_PROJECT_IN_EDITOR,
        DELETE_PROJECT,
    ),
)
