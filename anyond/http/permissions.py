"""Permissions: whether a caller may use a route, and whether what it is about is in its reach."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from msgspec import Struct, structs

from anyond.api import access, description, health, projects, system
from anyond.api.declaration.endpoint import Endpoint
from anyond.http.routing import Route
from anyond.model.access import Caller, CallerKind, Scope
from anyond.model.http.bodies import (
    CreateAndStart,
    FollowUp,
    NewAttempt,
    NewTask,
    Replacing,
    TaskPatch,
)
from anyond.model.ids import now
from anyond.model.refusals.access import NotBelow, NotForAgents, OutsideProjects, ScopeMissing
from anyond.model.rows import ScriptRequest
from anyond.store.access import reach
from anyond.store.access.reach import Place, Post
from anyond.store.engine.transaction import ALONGSIDE, Reader, Tx
from anyond.store.runs import processes

if TYPE_CHECKING:
    from anyond.store.engine.database import Store

TASKS_AN_HOUR = 20
DEEPEST = 2
DEFAULT = "DEFAULT"

CALLER: ContextVar[Caller] = ContextVar("caller")
"""The caller of the request that the current task answers."""

_ABOUT_NO_PROJECT = (
    health.CHECK_HEALTH,
    health.CHECK_API_HEALTH,
    system.GET_SYSTEM_INFO,
    system.GET_SOUND_FILE,
    projects.LIST_PROJECTS,  # which leaves out the others
    description.GET_THIS_DESCRIPTION,
    description.BROWSE_THIS_DESCRIPTION,
    access.CREATE_LINK,
)


def check(route: Route, caller: Caller) -> None:
    """Return if `caller` may use `route`.

    Raises:
        NotForAgents: it is an agent, or something that runs for one, and that is for persons.
        ScopeMissing: its token does not allow it.
        OutsideProjects: its token reaches some projects only, and nobody can tell which these are.
    """
    if route.scope not in caller.scopes:
        if caller.kind is CallerKind.EXECUTION:
            raise NotForAgents(caller.execution_id or "", route.summary)
        raise ScopeMissing(route.scope, caller.name)
    if caller.is_confined and not route.confines:
        _refuse_undeclared(route, caller)


def _refuse_undeclared(route: Route, caller: Caller) -> None:
    """Of what is not declared, nobody can tell here what it is about."""
    if caller.kind is not CallerKind.EXECUTION:
        raise OutsideProjects(caller.name)
    if route.scope is not Scope.READ:
        raise NotForAgents(caller.execution_id or "", route.summary)


async def confine(store: Store, endpoint: Endpoint[Any], params: Struct, body: Any = None) -> Any:
    """Return the body of the current request if what it is about is in the reach of its caller.

    A task that an agent makes gets its attempt as its parent, if none is named.

    Raises:
        NotBelow: an agent wants to write elsewhere than below its own task.
        OutsideProjects: the token is for other projects.
        NotFound: there is no such thing.
    """
    caller = CALLER.get()
    if not caller.is_confined:
        return body
    if caller.kind is CallerKind.EXECUTION:
        if endpoint.scope is Scope.READ:
            return body
        return await _below(store, caller.execution_id or "", params, body)
    if endpoint in _ABOUT_NO_PROJECT:
        return body
    place = await store.read(lambda r: _place(r, params, body))
    if place is None or caller.projects is None or place.project_id not in caller.projects:
        raise OutsideProjects(caller.name)
    return body


def _place(reader: Reader, params: Struct, body: Any) -> Place | None:
    """The place of what a request is about, if it is about one project; by the names of fields."""
    if isinstance(body, CreateAndStart):
        body = body.task
    if isinstance(body, NewTask):
        return Place("", body.project_id)
    if isinstance(body, NewAttempt):
        return reach.of_task(reader, body.task_id)
    finders = {
        "project_id": lambda _, key: Place("", key),
        "task_id": reach.of_task,
        "task_attempt_id": reach.of_attempt,
        "execution_process_id": reach.of_process,
        "approval_id": reach.of_approval,
    }
    for field, find in finders.items():
        key = getattr(params, field, None)
        if key is not None:
            return find(reader, key)
    return None


async def _below(store: Store, execution: str, params: Struct, body: Any) -> Any:
    def look(reader: Reader) -> Any:
        post = reach.post(reader, execution)
        if post is None:
            raise NotBelow("What this runs for is not there any more, so nothing is below it.")
        match body:
            case NewTask():
                return _as_child(reader, post, body)
            case CreateAndStart():
                _same_variant(reader, execution, body.executor_profile_id.variant)
                return structs.replace(body, task=_as_child(reader, post, body.task))
            case NewAttempt():
                _same_variant(reader, execution, body.executor_profile_id.variant)
            case FollowUp() | Replacing() if body.variant is not None:
                _same_variant(reader, execution, body.variant)
            case TaskPatch() if body.parent_task_attempt is not None:
                raise NotBelow("Agents do not move tasks.")
        place = _place(reader, params, body)
        if place is None or not reach.is_below(reader, place.task_id, post.task_id):
            raise NotBelow(
                "Agents write below their own task only: to tasks that were made from their"
                " attempt. This is not about one of them."
            )
        return body

    return await store.read(look)


def _same_variant(reader: Reader, execution: str, variant: str | None) -> None:
    """An agent that asks before it acts must not start one that does not."""
    request = processes.get(reader, execution).executor_action.typ
    own = None if isinstance(request, ScriptRequest) else request.executor_profile_id.variant
    if (variant or DEFAULT) != (own or DEFAULT):
        raise NotBelow(
            f"Agents start others with their own variant only, which is {own or DEFAULT}: another"
            " one may ask less, or be let do more."
        )


def _as_child(reader: Reader, post: Post, new: NewTask) -> NewTask:
    parent = new.parent_task_attempt or post.attempt_id
    if new.project_id != post.project_id:
        raise NotBelow("Agents make tasks in the project only in which they work.")
    if parent != post.attempt_id:
        place = reach.of_attempt(reader, parent)
        if place is None or not reach.is_below(reader, place.task_id, post.task_id):
            raise NotBelow("The parent of a task that an agent makes is its own attempt.")
    return structs.replace(new, parent_task_attempt=parent)


class _Bounds:
    """The bounds of an agent, as long as its request is open.

    What a request starts inherits them, and goes on after it.
    """

    def __init__(self, execution: str) -> None:
        self.execution = execution
        self.is_open = True

    def __call__(self, tx: Tx) -> None:
        if self.is_open:
            bound(tx, self.execution)


@contextmanager
def bounded(caller: Caller) -> Iterator[None]:
    """Bound what is written in the block, if `caller` is an agent."""
    if caller.kind is not CallerKind.EXECUTION:
        yield
        return
    bounds = _Bounds(caller.execution_id or "")
    before = ALONGSIDE.set(bounds)
    try:
        yield
    finally:
        bounds.is_open = False
        ALONGSIDE.reset(before)


def bound(tx: Tx, execution: str) -> None:
    """Write down which tasks an agent has just made, if it may make them.

    Raises:
        NotBelow: they are too many, or too deep; the write is undone.
    """
    made = [fact.key for fact in tx.facts if fact.kind == "task_created" and fact.key]
    for task_id in made:
        maker = reach.maker(tx, task_id)
        if maker is None or maker.depth >= DEEPEST:
            raise NotBelow(
                f"Agents make tasks down to {DEEPEST} below that of a person, and this one would"
                " be deeper."
            )
        if reach.made_since(tx, maker.root_task_id, now(), 3600) >= TASKS_AN_HOUR:
            raise NotBelow(
                f"Agents make {TASKS_AN_HOUR} tasks an hour below that of a person, and these are"
                " made."
            )
        reach.record_task(tx, task_id, execution, maker, now())
