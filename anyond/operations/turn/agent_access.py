"""The access of an execution to the daemon: a token that reads, and writes below its task."""

from __future__ import annotations

from anyond.model.agent_token import agent_token
from anyond.model.configuration.variables import Variable
from anyond.operations.resources import Resources


def variables(resources: Resources, execution_id: str) -> dict[str, str | None]:
    """The environment variables by which a program in the execution finds the daemon."""
    if not resources.access_secret:
        return {}
    token = agent_token(resources.access_secret, execution_id)
    return {Variable.URL: resources.url, Variable.TOKEN: token}
