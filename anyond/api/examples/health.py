"""Examples of the chapter Health."""

from __future__ import annotations

from anyond.api import health
from anyond.api.examples.example import Example, Examples
from anyond.model.http.answers import Health

_OK = Health(status="ok")

EXAMPLES: Examples = {
    health.CHECK_HEALTH: Example(answer=_OK),
    health.CHECK_API_HEALTH: Example(answer=_OK),
}
