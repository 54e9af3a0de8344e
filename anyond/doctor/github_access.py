"""Check of the GitHub token: whether GitHub takes it, and for whom."""

from __future__ import annotations

import trio

from anyond.doctor.facts import Facts
from anyond.doctor.findings import Finding, Level, ok
from anyond.github.client import GitHub
from anyond.github.site import Site
from anyond.model.errors import AnyondError, Kind


def token(facts: Facts) -> list[Finding]:
    """Check whether GitHub takes the token, if there is one."""
    config, _ = facts.settings
    secret = config.github.pat or config.github.oauth_token
    if not secret:
        return ok("github", "There is no GitHub token; only pull requests need one.")
    github = GitHub(Site.of(facts.environ), timeout_s=10.0)
    try:
        user = trio.run(github.user, secret)
    except AnyondError as error:
        refused = error.type in {"token_invalid", "insufficient_permissions"}
        level = Level.FAIL if refused or error.kind is Kind.CONFLICT else Level.WARN
        remedy = "`anyon config set github.pat …`, with access to contents and pull requests."
        if level is Level.WARN:
            remedy = "Try again when GitHub can be reached."
        return [Finding("github", level, f"The GitHub token was not taken: {error}", remedy)]
    return ok("github", f"GitHub takes the token, of {user.login}.")
