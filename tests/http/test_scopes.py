"""Which scope each endpoint needs; a new one is missing here until somebody thinks about it."""

from __future__ import annotations

import pytest

from anyond.api.chapters import ENDPOINTS
from anyond.http import permissions
from anyond.http.openapi.document import document
from anyond.http.routing import Route
from anyond.http.vk import routes
from anyond.model.access import AGENT_SCOPES, ALL_SCOPES, Caller, CallerKind, Scope
from anyond.model.refusals.access import ScopeMissing

SCOPES = {
    Scope.READ: """
        GET /health
        GET /api/health
        GET /api/info
        GET /api/profiles
        GET /api/profiles/form
        GET /api/sounds/{sound}
        GET /api/auth/github/check
        GET /api/projects
        GET /api/projects/{id}
        GET /api/projects/{id}/branches
        GET /api/projects/{id}/search
        GET /api/projects/{id}/git-programs
        GET /api/tasks
        GET /api/tasks/{task_id}
        WEBSOCKET /api/tasks/stream/ws
        GET /api/board/tasks
        GET /api/board/tasks/{task_id}
        WEBSOCKET /api/board/tasks/stream/ws
        GET /api/inbox
        GET /api/search
        GET /api/task-attempts/{id}/conversation
        GET /api/task-attempts/{id}/reviews
        GET /api/task-attempts/{id}/files-seen
        GET /api/approval-rules
        GET /api/preferences
        GET /api/task-attempts/{id}/diff
        GET /api/task-attempts/{id}/diff/file
        GET /api/task-attempts/{id}/snapshots
        GET /api/usage
        WEBSOCKET /api/inbox/stream/ws
        GET /api/task-attempts/{id}/seen
        GET /api/task-attempts
        GET /api/task-attempts/{id}
        GET /api/attempt-summaries
        GET /api/task-attempts/{id}/branch-status
        GET /api/task-attempts/{id}/children
        GET /api/task-attempts/{id}/commit-info
        GET /api/task-attempts/{id}/commit-compare
        WEBSOCKET /api/task-attempts/{id}/diff/ws
        GET /api/execution-processes
        GET /api/execution-processes/{id}
        WEBSOCKET /api/execution-processes/{id}/raw-logs/ws
        WEBSOCKET /api/execution-processes/{id}/normalized-logs/ws
        WEBSOCKET /api/execution-processes/stream/ws
        GET /api/task-attempts/{id}/draft
        WEBSOCKET /api/drafts/stream/ws
        GET /api/approvals
        GET /api/images/task/{task_id}
        GET /api/images/{id}/file
        GET /api/tags
        GET /api/tags/{id}
        GET /api/events
        WEBSOCKET /api/events/ws
        GET /api/filesystem/directory
        GET /api/filesystem/git-repos
        GET /api/containers/info
        GET /openapi.json
        GET /docs
    """,
    Scope.WRITE: """
        PUT /api/board/tasks/{task_id}
        POST /api/tasks/bulk
        POST /api/task-attempts/{id}/reviews/comments
        PUT /api/task-attempts/{id}/reviews/comments/{comment_id}
        DELETE /api/task-attempts/{id}/reviews/comments/{comment_id}
        POST /api/task-attempts/{id}/reviews/submit
        PUT /api/task-attempts/{id}/files-seen
        PUT /api/preferences
        PUT /api/task-attempts/{id}/archived
        PUT /api/task-attempts/{id}/seen
        POST /api/links
        POST /api/tasks
        POST /api/tasks/create-and-start
        PUT /api/tasks/{task_id}
        POST /api/task-attempts
        POST /api/task-attempts/{id}/follow-up
        POST /api/task-attempts/{id}/replace-process
        POST /api/task-attempts/{id}/start-dev-server
        POST /api/task-attempts/{id}/stop
        POST /api/task-attempts/{id}/rename-branch
        POST /api/task-attempts/{id}/delete-file
        POST /api/execution-processes/{id}/stop
        PUT /api/task-attempts/{id}/draft
        POST /api/task-attempts/{id}/draft/queue
        DELETE /api/task-attempts/{id}/draft
        POST /api/images/upload
        POST /api/images/task/{task_id}/upload
        DELETE /api/images/{id}
        POST /api/tags
        PUT /api/tags/{id}
        DELETE /api/tags/{id}
    """,
    Scope.DECIDE: """
        POST /api/approvals/{id}/respond
        DELETE /api/approval-rules/{id}
    """,
    Scope.LAND: """
        DELETE /api/projects/{id}
        DELETE /api/tasks/{task_id}
        POST /api/task-attempts/{id}/change-target-branch
        POST /api/task-attempts/{id}/rebase
        POST /api/task-attempts/{id}/conflicts/abort
        POST /api/task-attempts/{id}/merge
        POST /api/task-attempts/{id}/undo
        POST /api/task-attempts/{id}/push
        POST /api/task-attempts/{id}/pr
        POST /api/task-attempts/{id}/pr/attach
    """,
    Scope.ADMIN: """
        GET /api/tokens
        POST /api/tokens
        DELETE /api/tokens/{id}
        PUT /api/config
        PUT /api/profiles
        GET /api/mcp-config
        POST /api/mcp-config
        POST /api/auth/github/device/start
        POST /api/auth/github/device/poll
        POST /api/projects
        PUT /api/projects/{id}
        POST /api/projects/{id}/git-programs/accept
        POST /api/projects/{id}/open-editor
        POST /api/task-attempts/{id}/run-agent-setup
        POST /api/task-attempts/{id}/open-editor
    """,
}
"""Read it from the side of somebody who has stolen a token with that scope."""

VK = {
    "PUT /vk/api/projects/{key}": Scope.ADMIN,
    "DELETE /vk/api/task-attempts/{key}": Scope.LAND,
    "POST /vk/api/images/upload": Scope.WRITE,
    "POST /vk/api/images/task/{key}/upload": Scope.WRITE,
    "DELETE /vk/api/images/{key}": Scope.WRITE,
}
"""The same of the calls that only clients of vibe-kanban have; all others there read."""


def test_every_endpoint_has_the_scope_that_somebody_has_thought_of() -> None:
    table = {
        line.strip(): scope
        for scope, lines in SCOPES.items()
        for line in lines.split("\n")
        if line.strip()
    }
    assert {f"{e.method} {e.path}": e.scope for e in ENDPOINTS} == table


def test_calls_of_other_clients_have_the_scopes_of_what_they_do() -> None:
    unused: object = None
    found = {f"{r.method} {r.path}": r.scope for r in routes.routes(unused)}  # type: ignore[arg-type]
    assert found == {**dict.fromkeys(found, Scope.READ), **VK}


def test_the_description_names_the_scope_of_each_operation() -> None:
    paths = document()["paths"]
    for endpoint in ENDPOINTS:
        security = paths[endpoint.path][endpoint.verb]["security"]
        assert security == [{}, {"token": [endpoint.scope]}]


async def _view(_: object) -> None:
    raise AssertionError("it is not asked")


@pytest.mark.parametrize("needed", Scope)
def test_a_caller_needs_the_scope_of_the_route(needed: Scope) -> None:
    route = Route("POST", "/tea", _view, needed, "Make tea")  # type: ignore[arg-type]
    permissions.check(route, Caller(kind=CallerKind.TOKEN, scopes=ALL_SCOPES))
    permissions.check(route, Caller(kind=CallerKind.TOKEN, scopes=frozenset({needed})))
    lacking = Caller(kind=CallerKind.TOKEN, name="phone", scopes=ALL_SCOPES - {needed})
    with pytest.raises(ScopeMissing, match="'phone'") as refused:
        permissions.check(route, lacking)
    assert refused.value.data == {
        "type": "scope_missing",
        "scope": needed,
        "message": str(refused.value),
    }
    if needed not in AGENT_SCOPES:
        with pytest.raises(ScopeMissing):
            permissions.check(route, Caller(kind=CallerKind.TOKEN, scopes=AGENT_SCOPES))
