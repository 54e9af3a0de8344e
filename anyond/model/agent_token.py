"""The tokens that executions are started with: derived from a secret, so that none is stored."""

from __future__ import annotations

import hmac

PREFIX = "anyonx_"


def agent_token(secret: str, execution_id: str) -> str:
    """The token of an execution. It is worth something as long as that runs."""
    return f"{PREFIX}{execution_id}_{_mac(secret, execution_id)}"


def execution_of(secret: str, text: str) -> str | None:
    """The execution whose token `text` is; None if it is none."""
    execution_id, _, mac = text.removeprefix(PREFIX).rpartition("_")
    if not text.startswith(PREFIX) or not hmac.compare_digest(
        mac.encode(), _mac(secret, execution_id).encode()
    ):
        return None
    return execution_id


def _mac(secret: str, execution_id: str) -> str:
    return hmac.digest(secret.encode(), execution_id.encode(), "sha256").hex()
