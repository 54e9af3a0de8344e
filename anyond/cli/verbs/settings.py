"""The verbs `projects`, `profiles` and `config`: what a person sets."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from anyond.cli.frame.commands import LazyGroup, Verb
from anyond.cli.frame.failures import CommandFailed
from anyond.cli.frame.session import current, print_line

if TYPE_CHECKING:
    from anyond.model.rows import Project


class _Group(LazyGroup):
    command_class = Verb


@click.group(
    cls=_Group,
    invoke_without_command=True,
    short_help="List, add, change and remove projects.",
    examples=[
        ("anyon projects", "all"),
        ("anyon projects add", "the repository one is in"),
        ('anyon projects set tea setup_script="uv sync"', "a setting"),
    ],
)
@click.pass_context
def projects(context: click.Context) -> None:
    """List, add, change and remove projects; alone, it lists them."""
    if context.invoked_subcommand is None:
        context.invoke(list_projects)


@projects.command("list", short_help="List projects.")
def list_projects() -> None:
    """List projects: name, path, id."""
    from anyond.api import projects as api
    from anyond.cli.rendering.colors import Painter, Style
    from anyond.cli.rendering.harmless import in_one_line
    from anyond.cli.rendering.tables import Cell, table

    session = current()
    with session.client() as client:
        found = client.call(api.LIST_PROJECTS)
    if session.as_json:
        session.print_json(found)
        return
    rows = [
        [
            Cell(in_one_line(one.name), Style.BOLD),
            Cell(in_one_line(one.git_repo_path)),
            Cell(one.id[:8], Style.DIM),
        ]
        for one in found
    ]
    if not rows:
        session.notice("There is no project yet. `anyon projects add` in a repository makes one.")
        return
    for line in table(("NAME", "PATH", "ID"), rows, Painter(session.colored())):
        print_line(line)


@projects.command("show", short_help="Show the settings of a project.")
@click.argument("name")
def show_project(*, name: str) -> None:
    """Show all settings of a project: NAME is its name, path, or the beginning of its id."""
    from anyond.cli.finding.projects import find_project

    session = current()
    with session.client() as client:
        _print(find_project(client, name))


@projects.command("add", short_help="Make a repository a project.")
@click.argument("path", required=False, type=click.Path(exists=True, file_okay=False))
@click.option("--name", help="Else that of the directory.")
def add_project(*, path: str | None, name: str | None) -> None:
    """Make the repository at PATH (or the one one is in) a project."""
    from anyond.api import projects as api
    from anyond.api.declaration.params import Nothing
    from anyond.cli.finding.repository import repository_here
    from anyond.model.http.bodies import NewProject

    session = current()
    place = Path(os.path.abspath(path)) if path is not None else repository_here().top
    new = NewProject(
        name=name or place.name or "repository", git_repo_path=str(place), use_existing_repo=True
    )
    with session.client() as client:
        _print(client.call(api.CREATE_PROJECT, Nothing(), new))


@projects.command("set", short_help="Change settings of a project.")
@click.argument("name")
@click.argument("changes", metavar="KEY=VALUE...", nargs=-1, required=True)
def set_project(*, name: str, changes: tuple[str, ...]) -> None:
    """Change settings of a project: `setup_script="uv sync"`; nothing after `=` clears."""
    import msgspec

    from anyond.api import projects as api
    from anyond.api.declaration.params import OfProject
    from anyond.cli.finding.projects import find_project
    from anyond.model.http.bodies import ProjectPatch

    session = current()
    given = dict(_change(change) for change in changes)
    unknown = given.keys() - set(ProjectPatch.__struct_fields__)
    if unknown:
        known = ", ".join(ProjectPatch.__struct_fields__)
        raise click.UsageError(f"There is no setting {sorted(unknown)[0]!r}. There are: {known}.")
    try:
        patch = msgspec.convert(given, ProjectPatch)
    except msgspec.ValidationError as error:
        raise click.UsageError(str(error)) from error
    with session.client() as client:
        params = OfProject(project_id=find_project(client, name).id)
        _print(client.call(api.UPDATE_PROJECT, params, patch))


@projects.command("rm", short_help="Remove a project; its repository stays.")
@click.argument("name")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def remove_project(*, name: str, yes: bool) -> None:
    """Remove a project with its tasks and attempts; its repository and branches stay."""
    from anyond.api import projects as api
    from anyond.api.declaration.params import OfProject
    from anyond.cli.finding.projects import find_project
    from anyond.cli.frame.asking import agreed

    session = current()
    with session.client() as client:
        project = find_project(client, name)
        agreed(session, f"Remove the project {project.name} with all its tasks?", yes=yes)
        client.call(api.DELETE_PROJECT, OfProject(project_id=project.id))
    if session.as_json:
        session.print_json({"id": project.id})
    else:
        session.notice("Removed. The repository is as it was.")


@click.group(
    cls=_Group,
    invoke_without_command=True,
    short_help="Show and change settings.",
    examples=[
        ("anyon config", "all of them"),
        ("anyon config get editor.editor_type", "one"),
        ("anyon config set git_branch_prefix tea", "change one"),
        ("anyon config edit", "all in your editor"),
    ],
)
@click.pass_context
def config(context: click.Context) -> None:
    """Show and change settings; alone, it shows all. docs/settings.md tells what each means."""
    if context.invoked_subcommand is None:
        _print(_config())


@config.command("get", short_help="Print one setting.")
@click.argument("key")
def get_setting(*, key: str) -> None:
    """Print one setting; KEY has a dot before what is in an object."""
    session = current()
    value = _config()
    for part in key.split("."):
        if not isinstance(value, dict) or part not in value:
            raise CommandFailed(f"There is no setting {key!r}.", type="not_found")
        value = value[part]
    if session.as_json or not isinstance(value, str):
        session.print_json(value)
    else:
        print_line(value)


@config.command("set", short_help="Change one setting.")
@click.argument("key")
@click.argument("value")
def set_setting(*, key: str, value: str) -> None:
    """Change one setting. VALUE is JSON, or else a text."""
    there = _config()
    body: Any = _value(value)
    for part in reversed(key.split(".")):
        body = {part: body}
    if key.split(".", maxsplit=1)[0] not in there:
        raise CommandFailed(f"There is no setting {key!r}.", type="not_found")
    _put(body)


@config.command("edit", short_help="Change settings in your editor.")
def edit_config() -> None:
    """Open all settings in your editor (`VISUAL`, `EDITOR`), and store what is saved."""
    changed = _edited(json.dumps(_config(), indent=2, ensure_ascii=False))
    if changed is None:
        current().notice("Nothing was changed.")
    else:
        _put(changed)


@click.group(
    cls=_Group,
    invoke_without_command=True,
    short_help="Show and change variants of agents.",
    examples=[
        ("anyon profiles", "all variants of all agents"),
        ("anyon profiles edit", "in your editor"),
        ("anyon profiles set < profiles.json", "from a file"),
    ],
)
@click.pass_context
def profiles(context: click.Context) -> None:
    """Show and change variants of agents; alone, it shows all as JSON."""
    if context.invoked_subcommand is None:
        print_line(_profiles())


@profiles.command("edit", short_help="Change variants in your editor.")
def edit_profiles() -> None:
    """Open all variants in your editor, and store what is saved."""
    changed = _edited(_profiles())
    if changed is None:
        current().notice("Nothing was changed.")
    else:
        _put_profiles(json.dumps(changed))


@profiles.command("set", short_help="Store variants from standard input.")
def set_profiles() -> None:
    """Store the variants in the JSON text on standard input; those not named stay."""
    _put_profiles(sys.stdin.read())


def _config() -> Any:
    import msgspec

    from anyond.api import system

    with current().client() as client:
        return msgspec.to_builtins(client.call(system.GET_SYSTEM_INFO).config)


def _put(body: Any) -> None:
    import msgspec

    from anyond.api import system
    from anyond.api.declaration.params import Nothing

    session = current()
    with session.client() as client:
        answer = client.call(system.UPDATE_CONFIGURATION, Nothing(), body)
    if session.as_json:
        session.print_json(msgspec.to_builtins(answer))
    else:
        session.notice("Stored.")


def _profiles() -> str:
    from anyond.api import system

    with current().client() as client:
        return client.call(system.GET_EXECUTOR_PROFILES).content


def _put_profiles(text: str) -> None:
    from anyond.api import system

    session = current()
    with session.client() as client:
        answer = client.call(system.UPDATE_EXECUTOR_PROFILES, system.Replace(), text.encode())
    if session.as_json:
        session.print_json(answer)
    else:
        session.notice("Stored.")


def _edited(text: str) -> Any:
    """The value that was saved in the editor; None if it is what was there."""
    saved = click.edit(text, extension=".json")
    if saved is None or saved.strip() == text.strip():
        return None
    try:
        return json.loads(saved)
    except ValueError as error:
        raise CommandFailed(f"That is no JSON, and was not stored: {error}.") from error


def _change(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"{text!r} is no KEY=VALUE.")
    return key, _value(value)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _print(value: Project | Any) -> None:
    """Print settings: as JSON for programs, and as indented JSON for people as well."""
    import msgspec

    session = current()
    if session.as_json:
        session.print_json(value)
        return
    text = json.dumps(msgspec.to_builtins(value), indent=2, ensure_ascii=False)
    from anyond.cli.rendering.harmless import harmless

    print_line(harmless(text))
