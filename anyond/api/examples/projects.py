"""Examples of the chapter Projects."""

from __future__ import annotations

import hashlib

from anyond.api import projects
from anyond.api.declaration import samples
from anyond.api.examples import things
from anyond.api.examples.example import Example, Examples
from anyond.model.configuration.settings import EditorType
from anyond.model.http.answers import EditorOpened, GitProgram, GitPrograms
from anyond.model.http.bodies import AcceptGitPrograms, NewProject, OpenEditor, ProjectPatch
from anyond.model.http.search import MatchType, SearchResult
from anyond.model.rows import Branch

_NOTHING = hashlib.sha256().hexdigest()
_PROGRAMS = GitPrograms(
    withheld=True,
    always=False,
    digest=_NOTHING,
    changes=[
        GitProgram(name="config core.hookspath", value=".tools/hooks", hash=_NOTHING),
    ],
    task_attempt_id=samples.ATTEMPT_ID,
    since=things.MOMENT,
)

EXAMPLES: Examples = {
    projects.LIST_PROJECTS: Example(answer=[things.PROJECT]),
    projects.GET_PROJECT: Example(answer=things.PROJECT),
    projects.CREATE_PROJECT: Example(
        send=NewProject(
            name="Tea",
            git_repo_path=things.REPOSITORY,
            use_existing_repo=True,
            setup_script="npm install",
        ),
        answer=things.PROJECT,
    ),
    projects.UPDATE_PROJECT: Example(
        send=ProjectPatch(dev_script="pnpm dev"), answer=things.PROJECT
    ),
    projects.GET_PROJECT_BRANCHES: Example(
        answer=[
            Branch(
                name="main",
                is_current=True,
                is_remote=False,
                last_commit_date=things.MOMENT,
            )
        ]
    ),
    projects.SEARCH_PROJECT_FILES: Example(
        answer=[SearchResult(path="README.md", is_file=True, match_type=MatchType.FILE_NAME)]
    ),
    projects.GET_PROGRAMS_OF_GIT: Example(answer=_PROGRAMS),
    projects.ACCEPT_PROGRAMS_OF_GIT: Example(
        send=AcceptGitPrograms(digest=_PROGRAMS.digest),
        answer=GitPrograms(withheld=False, always=False, digest=_NOTHING),
    ),
    projects.OPEN_PROJECT_IN_EDITOR: Example(
        send=OpenEditor(editor_type=EditorType.CURSOR), answer=EditorOpened(url=None)
    ),
}
