"""Runs of agents and scripts, and what they ask: why one cannot be, or not now."""

from __future__ import annotations

from anyond.model.errors import AnyondError, Conflict
from anyond.model.rows import ApprovalStatus


class Busy(Conflict, type="busy"):
    """Something is at work in the attempt. Stop it first, or queue a draft.

    That is an agent, a script or another request.
    """

    @classmethod
    def running(cls, run_reason: str) -> Busy:
        """A process that is alone in its worktree."""
        return cls(f"The attempt is busy: its {run_reason} is still running.")

    @classmethod
    def agent(cls) -> Busy:
        """A process, when a request comes."""
        return cls("An agent or script is at work in this attempt; stop it or wait for its end.")

    @classmethod
    def operation(cls) -> Busy:
        """A request, when another one comes."""
        return cls("Another operation is at work in this attempt; try again when it is done.")

    @classmethod
    def starting(cls) -> Busy:
        """A process that nothing can be told yet."""
        return cls("The agent is just being started; try again in a moment.")

    @classmethod
    def inside(cls, where: str) -> Busy:
        """Something in what was to be deleted."""
        return cls(f"Something runs in {where}; stop it first.")

    @classmethod
    def ending(cls) -> Busy:
        """Something in what was to be deleted, which does not end."""
        return cls("Something is at work in an attempt; stop it first.")

    @classmethod
    def deletion(cls) -> Busy:
        """The deletion of the attempt."""
        return cls("This attempt is being deleted.")

    @classmethod
    def dev_server(cls) -> Busy:
        """Another dev server of the project."""
        return cls("Another dev server of this project is still running.")

    @classmethod
    def git(cls) -> Busy:
        """A git of the daemon before."""
        return cls("Git is still finishing what was begun here before the daemon was restarted.")


class Stopped(Conflict, type="stopped"):
    """It was stopped before it had started.

    Or, if it is a request, before it was done.

    Args:
        when: the rest of the sentence.
    """

    def __init__(self, when: str) -> None:
        super().__init__(f"It was stopped {when}.")


class NotStarted(Conflict, type="not_started"):
    """Its start failed by a mistake of Anyon's; the log of the process says how."""

    def __init__(self, mistake: BaseException) -> None:
        why = f"{type(mistake).__name__}: {mistake}"
        super().__init__(
            f"Anyon made a mistake when it started this: {why}. Its log has the details."
        )


class Running(Conflict, type="running"):
    """The execution still runs."""

    def __init__(self, execution_id: str) -> None:
        super().__init__(f"Execution {execution_id} is still running.")


class AlreadyStarted(Conflict, type="already_started"):
    """The execution was started before."""

    def __init__(self, execution_id: str) -> None:
        super().__init__(f"Execution {execution_id} was started before.")


class NoAgent(Conflict, type="no_agent"):
    """No agent has run in this attempt yet."""

    def __init__(self) -> None:
        super().__init__("No agent has run in this attempt yet.")


class Dropped(Conflict, type="dropped"):
    """The process was already replaced."""

    def __init__(self) -> None:
        super().__init__("That process was already replaced.")


class NoDevScript(Conflict, type="no_dev_script"):
    """The project has no dev script."""

    def __init__(self, project: str) -> None:
        super().__init__(f"The project {project} has no dev script; add one in its settings.")


class AlreadyDecided(Conflict, type="already_decided"):
    """The question was answered differently before."""

    status: ApprovalStatus

    def __init__(self, status: ApprovalStatus) -> None:
        super().__init__(f"The question was already answered: {status.replace('_', ' ')}.")
        self.status = status


STARTING: tuple[type[AnyondError], ...] = (
    Busy,
    Stopped,
    NotStarted,
)
"""Wherever a run is started, or a job in its place."""
