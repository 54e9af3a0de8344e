"""Refusals to callers that are let in, but may not do that."""

from __future__ import annotations

from anyond.model.access import Scope
from anyond.model.errors import Forbidden


class ScopeMissing(Forbidden, type="scope_missing"):
    """The token lacks the scope of that endpoint; `scope` names it."""

    scope: Scope
    message: str

    def __init__(self, scope: Scope, name: str) -> None:
        whose = f"The token {name!r}" if name else "This token"
        super().__init__(
            f"{whose} does not have the scope {scope.value}, which this needs. A token that has it"
            f" is made by: anyon token create NAME --scope {scope.value}"
        )
        self.scope = scope


class NotForAgents(Forbidden, type="not_for_agents"):
    """An agent, or a script that runs for one, may not do that of its own accord.

    It does not matter what it sends: the program at the other end of the connection was started in
    an execution, which `execution_process_id` names.
    """

    execution_process_id: str
    message: str

    def __init__(self, execution_process_id: str, what: str) -> None:
        super().__init__(
            f"{what} is not for agents, nor for what they start: a person has to do this, outside"
            " of the attempt's processes."
        )
        self.execution_process_id = execution_process_id


class NotBelow(Forbidden, type="not_below"):
    """Agents write below their own task only: to tasks that were made from their attempt.

    They make few of them, and not deeper than two below the task of a person.
    """

    message: str


class OutsideProjects(Forbidden, type="outside_projects"):
    """The token reaches some projects only, and this is not about one of them."""

    message: str

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The token {name!r} reaches only the projects that it was made for, and this is not"
            " about one of them alone."
        )


class BeyondOwnScope(Forbidden, type="beyond_own_scope"):
    """A token can be given no more than its maker has; `field` says of what."""

    field: str
    message: str

    def __init__(self, field: str) -> None:
        super().__init__(f"{field}: a token gets nothing that whoever makes it does not have")
        self.field = field


class NoLink(Forbidden, type="no_link"):
    """Links are made for whoever shows a token, or comes through the Unix socket."""

    message: str

    def __init__(self) -> None:
        super().__init__(
            "A link is made for who shows a token, or comes through the Unix socket: else every"
            " program that reaches the port could make itself one."
        )
