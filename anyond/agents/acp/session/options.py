"""The options of a variant of an agent of the Agent Client Protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from anyond.agents.common import variant


class AcpOptions(variant.Common, frozen=True, kw_only=True):
    """The options of one variant, besides those that all have; None is "not said".

    An agent with options of its own has a class of its own, which says what they come to.

    Args:
        plan: begin in the agent's plan mode; a person decides about the plan.
        approvals: ask a person whenever the agent asks; wins over `auto_approve`.
        auto_approve: allow whatever the agent asks, without asking anyone.
        model: the id of a model that the agent offers.
        mode: the id of a mode that the agent offers; wins over `plan`.
        resume: go on with the agent's former session if it can (the default).
        auth_method: the id of the way to log in that is used if the agent demands a login.
    """

    plan: bool | None = None
    approvals: bool | None = None
    auto_approve: bool | None = None
    model: str | None = None
    mode: str | None = None
    resume: bool | None = None
    auth_method: str | None = None

    @property
    def known_as(self) -> str:
        """The name of the agent, where the executor alone does not say that; else ""."""
        return ""

    @property
    def trusting(self) -> bool:
        """True if the agent may do everything, as far as the option for that goes."""
        return bool(self.auto_approve)

    @property
    def asks(self) -> bool:
        """True if a person decides."""
        return bool(self.approvals) or not self.trusting

    @property
    def session_model(self) -> str | None:
        """The model to choose in the session; None if the command line does it."""
        return self.model

    @property
    def session_mode(self) -> str | None:
        """The mode to choose in the session by its id, whatever else is wanted."""
        return self.mode

    def login_method(self, offered: Sequence[Any]) -> str | None:
        """The login method to ask for when the agent demands a login; None if no one.

        Args:
            offered: the `authMethods` of the agent.
        """
        return self.auth_method

    @property
    def arguments(self) -> Sequence[str]:
        """Return the command line arguments for the agent's own options."""
        return ()

    @property
    def variables(self) -> Mapping[str, str | None]:
        """Return the environment variables for them; `env` is laid over these."""
        return {}
