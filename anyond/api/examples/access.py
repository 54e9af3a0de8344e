"""Examples of the chapter Access."""

from __future__ import annotations

from anyond.api import access
from anyond.api.declaration import samples
from anyond.api.examples.example import Example, Examples
from anyond.model.access import Scope
from anyond.model.http.tokens import CreatedToken, Link, NewLink, NewToken, Token

_TOKEN = Token(
    id=samples.TOKEN_ID,
    name="phone",
    scopes=[Scope.READ, Scope.DECIDE],
    projects=[samples.PROJECT_ID],
    created_at="2026-03-09T08:30:00.000Z",
    expires_at="2026-04-08T08:30:00.000Z",
)

EXAMPLES: Examples = {
    access.LIST_TOKENS: Example(answer=[_TOKEN]),
    access.CREATE_TOKEN: Example(
        send=NewToken(
            name="phone",
            scopes=[Scope.READ, Scope.DECIDE],
            projects=[samples.PROJECT_ID],
            expires_in_s=30 * 24 * 3600,
        ),
        answer=CreatedToken(record=_TOKEN, token="anyon_kq3n…"),
    ),
    access.REVOKE_TOKEN: Example(answer=None),
    access.CREATE_LINK: Example(
        send=NewLink(),
        answer=Link(url="http://127.0.0.1:8096/?token=P3x…", expires_at="2026-03-09T08:35:00.000Z"),
    ),
}
