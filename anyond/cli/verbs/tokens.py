"""The verb `token`: what lets other programs in, and what they may do."""

from __future__ import annotations

import re

import click

from anyond.cli.frame.commands import LazyGroup, Verb
from anyond.cli.frame.failures import CommandFailed
from anyond.cli.frame.session import current, print_line

_UNITS = {"m": 60, "h": 3600, "d": 24 * 3600, "w": 7 * 24 * 3600}


class _Group(LazyGroup):
    command_class = Verb


@click.group(
    cls=_Group,
    short_help="Make, list and revoke tokens for programs.",
    examples=[
        ("anyon token create phone --scope read,decide", "may look and answer questions"),
        ("anyon token create ci --scope read,write --expires 30d --project tea", "one project"),
        ("anyon token revoke phone", "end it"),
    ],
)
def token() -> None:
    """Make, list and revoke tokens. Each names what it may do: read, write, decide, land, admin."""


@token.command("create", short_help="Make a token; it is printed once.")
@click.argument("name")
@click.option("--scope", default="read", show_default=True, help="Scopes, with commas.")
@click.option("--expires", metavar="TIME", help="Such as 90m, 12h, 30d, 4w; else never.")
@click.option("--project", "projects", multiple=True, metavar="PROJECT", help="Only these.")
def create_token(*, name: str, scope: str, expires: str | None, projects: tuple[str, ...]) -> None:
    """Make a token called NAME and print it: it is not stored, and never shown again."""
    from anyond.api import access
    from anyond.api.declaration.params import Nothing
    from anyond.cli.finding.projects import find_project
    from anyond.model.access import Scope
    from anyond.model.http.tokens import NewToken

    try:
        scopes = [Scope(word.strip()) for word in scope.split(",") if word.strip()]
    except ValueError as error:
        raise click.UsageError(f"{error}; there are {', '.join(Scope)}.") from error
    session = current()
    with session.client() as client:
        named = [find_project(client, project).id for project in projects]
        new = NewToken(
            name=name,
            scopes=scopes,
            projects=named or None,
            expires_in_s=None if expires is None else _seconds(expires),
        )
        made = client.call(access.CREATE_TOKEN, Nothing(), new)
    if session.as_json:
        session.print_json(made)
        return
    print_line(made.token)
    session.notice(
        "Programs send it as `Authorization: Bearer …`; `anyon` takes it from ANYON_TOKEN."
        " It is not shown again."
    )


@token.command("list", short_help="List tokens.")
def list_tokens() -> None:
    """List tokens: name, scopes, when they were used last, when they end, id."""
    from anyond.api import access
    from anyond.cli.rendering.colors import Painter, Style
    from anyond.cli.rendering.harmless import in_one_line
    from anyond.cli.rendering.tables import Cell, table

    session = current()
    with session.client() as client:
        found = client.call(access.LIST_TOKENS)
    if session.as_json:
        session.print_json(found)
        return
    rows = [
        [
            Cell(in_one_line(one.name), Style.BOLD),
            Cell(",".join(one.scopes)),
            Cell("all" if one.projects is None else str(len(one.projects))),
            Cell(one.last_used_at or "never"),
            Cell("revoked" if one.revoked_at is not None else one.expires_at or "never"),
            Cell(one.id[:8], Style.DIM),
        ]
        for one in found
    ]
    if not rows:
        session.notice("There is no token yet. `anyon token create NAME` makes one.")
        return
    heads = ("NAME", "SCOPES", "PROJECTS", "USED", "ENDS", "ID")
    for line in table(heads, rows, Painter(session.colored())):
        print_line(line)


@token.command("revoke", short_help="Revoke a token.")
@click.argument("name")
def revoke_token(*, name: str) -> None:
    """Revoke a token: NAME is its name, or the beginning of its id."""
    from anyond.api import access

    session = current()
    with session.client() as client:
        found = [
            one
            for one in client.call(access.LIST_TOKENS)
            if one.revoked_at is None and (one.name == name or one.id.startswith(name))
        ]
        if len(found) != 1:
            raise CommandFailed(
                f"{len(found) or 'No'} token{'s' * (len(found) > 1)} can be meant by {name}.",
                type="not_found",
            )
        client.call(access.REVOKE_TOKEN, access.OfToken(token_id=found[0].id))
    if session.as_json:
        session.print_json({"id": found[0].id})
    else:
        session.notice(f"The token {found[0].name} is not accepted any more.")


def _seconds(text: str) -> int:
    match = re.fullmatch(r"(\d{1,6})([mhdw])", text)
    if match is None or int(match[1]) == 0:
        raise click.UsageError(f"{text!r} is no time, such as 90m, 12h, 30d or 4w.")
    return int(match[1]) * _UNITS[match[2]]
