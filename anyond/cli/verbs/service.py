"""The verbs `service install`, `uninstall`, `status`, `logs` and `restart`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from anyond.cli.finding.daemon_process import daemon_file, stop_running, unit_of
from anyond.cli.frame.commands import LazyGroup, Verb
from anyond.cli.frame.exit_codes import ExitCode
from anyond.cli.frame.session import Session, current, print_line

if TYPE_CHECKING:
    from anyond.service.login_shell import LoginPath
    from anyond.service.manager import Manager, Setup
    from anyond.service.written_files import Recipe


@click.group(
    cls=LazyGroup,
    short_help="Have the daemon run from login on.",
    examples=[
        ("anyon service install", "from now on, and after each login"),
        ("anyon service status", "whether it runs, and where"),
    ],
)
def service() -> None:
    """Have systemd or launchd run the daemon from login on."""


@service.command(
    cls=Verb,
    short_help="Install it, or refresh it.",
    examples=[
        ("anyon service install", "again after an upgrade, or when PATH has changed"),
        ("anyon service install --socket", "the first request starts the daemon"),
        ("anyon service install --linger", "it goes on after logout"),
        ("anyon service install -- --port 9000", "with options of `anyon serve`"),
    ],
)
@click.argument("arguments", nargs=-1)
@click.option(
    "--socket/--no-socket",
    "socket",
    default=None,
    help="Whether systemd opens the port, and the first request starts the daemon.",
)
@click.option("--linger", is_flag=True, help="Have it run without a login, too.")
@click.option("--force", is_flag=True, help="Put aside a file of the service that was edited.")
def install(*, arguments: tuple[str, ...], socket: bool | None, linger: bool, force: bool) -> None:
    """Install the daemon as a service of your login, start it, and print its address.

    ARGUMENTS are those of `anyon serve`. PATH of the daemon and its agents is what your login shell
    has in a terminal. Done again, it takes over what has changed (PATH, the program) and repeats
    what is not given (ARGUMENTS, --socket). Agents go on meanwhile, also when another daemon has to
    end for it. Files that this command did not write are never replaced.
    """
    from anyond.cli.finding.service_start import served
    from anyond.service import installation
    from anyond.service.login_shell import login_path
    from anyond.service.manager import of_this_system

    session = current()
    manager = of_this_system()
    recipe, address = _recipe(manager, arguments, socket)
    manager.demand(recipe, linger=linger)
    path = login_path()
    setup = _setup(path, recipe, address)
    _show_plan(session, path, setup)
    former = manager.state().pid
    installation.demand_ours(manager, force=force)
    _end_other_daemon(session)
    written = installation.install(manager, setup, force=force)
    for place in written.aside:
        session.notice(f"What was edited is {place} now.")
    for place in written.paths:
        session.notice(f"Written: {place}")
    url = served(session, manager, former, address if recipe.socket else None)
    if session.as_json:
        session.print_json(
            {
                "url": url,
                "manager": manager.name,
                "unit": manager.unit,
                "files": [str(place) for place in written.paths],
                "program": list(setup.program),
                "path": setup.path,
                "shell": path.shell,
                "socket": recipe.socket,
                "arguments": list(recipe.arguments),
            }
        )
    else:
        print_line(url)
    if linger:
        # The last, since it may be refused, and the service runs all the same.
        manager.keep_after_logout()


@service.command(
    cls=Verb,
    short_help="Remove it; agents go on.",
    examples=[("anyon service uninstall", "the next daemon takes up its agents")],
)
@click.option("--force", is_flag=True, help="Put aside a file of the service that was edited.")
def uninstall(*, force: bool) -> None:
    """End the daemon, and remove the service. Agents go on; the next daemon takes them up."""
    from anyond.service import installation
    from anyond.service.manager import of_this_system

    session = current()
    written = installation.uninstall(of_this_system(), force=force)
    if session.as_json:
        session.print_json({"files": [str(place) for place in written.paths]})
        return
    for place in written.aside:
        session.notice(f"What was edited is {place} now.")
    for place in written.paths:
        session.notice(f"Removed: {place}")
    session.notice("Agents go on. `anyon serve`, or any command that needs one, starts a daemon.")


@service.command(
    cls=Verb,
    short_help="Say how it is.",
    examples=[
        ("anyon service status", ""),
        ("anyon service status --json", "exit code 7 if it does not run"),
    ],
)
def status() -> int:
    """Say whether the service is installed, whether it runs, and where."""
    from anyond.service.manager import of_this_system
    from anyond.service.written_files import examine

    session = current()
    manager = of_this_system()
    place = examine(manager.places()[0])
    state = manager.state()
    file = daemon_file()
    url = file.url if file is not None and file.pid == state.pid else None
    found = {
        "manager": manager.name,
        "unit": manager.unit,
        "file": str(place.path),
        "origin": place.authorship.value,
        "running": state.running,
        "state": state.words,
        "pid": state.pid,
        "url": url,
        "at_login": state.at_login,
    }
    if session.as_json:
        session.print_json(found)
    else:
        print_line(f"{'●' if state.running else '○'} {manager.unit}: {state.words}")
        if url is not None:
            print_line(f"  {url}, process {state.pid}")
        print_line(f"  {place.path} ({_ORIGIN[place.authorship.value]})")
        print_line(f"  {'starts' if state.at_login else 'does not start'} at login")
    return ExitCode.DONE.value if state.running else ExitCode.NO_DAEMON.value


_ORIGIN = {
    "absent": "not installed",
    "ours": "as it was installed",
    "edited": "edited since it was installed",
    "foreign": "not written by this command",
}


@service.command(
    cls=Verb,
    short_help="Print the log of the daemon.",
    examples=[("anyon service logs -f", "stay, until Ctrl+C"), ("anyon service logs -n 500", "")],
)
@click.option("-f", "--follow", is_flag=True, help="Stay, and print what comes.")
@click.option("-n", "--lines", type=click.IntRange(0), default=100, show_default=True)
def logs(*, follow: bool, lines: int) -> None:
    """Print the end of the daemon's log: of the journal, or of the file that launchd writes."""
    from anyond.model.errors import Unavailable
    from anyond.service.manager import of_this_system

    command = of_this_system().log_command(lines, follow=follow)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        raise Unavailable(f"{command[0]} cannot be started: {error.strerror}.") from error


@service.command(
    cls=Verb,
    short_help="Restart the daemon; agents go on.",
    examples=[("anyon service restart", "after an upgrade")],
)
def restart() -> None:
    """Restart the daemon, and wait until it answers. Agents go on meanwhile."""
    from anyond.cli.finding.service_start import served
    from anyond.service.manager import of_this_system

    session = current()
    manager = of_this_system()
    former = manager.state().pid
    manager.restart()
    url = served(session, manager, former, None)
    if session.as_json:
        session.print_json({"url": url, "pid": manager.state().pid})
    else:
        print_line(url)


def _recipe(
    manager: Manager, arguments: tuple[str, ...], socket: bool | None
) -> tuple[Recipe, str]:
    """The wishes, those from before where none are given; and the address of a socket."""
    from anyond.service.installation import installed_recipe
    from anyond.service.written_files import Recipe

    former = installed_recipe(manager) or Recipe()
    recipe = Recipe(
        arguments=arguments or former.arguments,
        socket=former.socket if socket is None else socket,
    )
    return recipe, _address(recipe)


def _address(recipe: Recipe) -> str:
    """The address that the daemon would listen at, with these arguments; refuses wrong ones."""
    from anyond.cli.serve import serve
    from anyond.host.app_paths import AppPaths
    from anyond.model.refusals.requests import Invalid
    from anyond.settings.options import Options

    # What is in the environment now is not there when the service starts.
    with serve.make_context("anyon serve", list(recipe.arguments), auto_envvar_prefix=None) as made:
        given = {
            name: value
            for name, value in made.params.items()
            if made.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
        }
    try:
        options = Options.given(AppPaths.of(), given)
    except Invalid as error:
        raise click.UsageError(str(error)) from error
    if not recipe.socket:
        return ""
    if options.host is None or options.port == 0:
        raise click.UsageError("--socket needs a host and a port that is not 0.")
    host = f"[{options.host}]" if ":" in options.host else options.host
    return f"{host}:{options.port}"


def _setup(path: LoginPath, recipe: Recipe, address: str) -> Setup:
    from anyond.service import installation
    from anyond.service.manager import Setup

    return Setup(
        program=installation.program(),
        path=path.path,
        environment=installation.chosen_directories(os.environ),
        recipe=recipe,
        address=address,
    )


def _show_plan(session: Session, path: LoginPath, setup: Setup) -> None:
    if path.remark:
        session.notice(path.remark)
    command = " ".join((*setup.program, "serve", *setup.recipe.arguments))
    session.notice(f"Program: {command}")
    session.notice(f"PATH ({path.shell or 'the present one'}):")
    for part in path.path.split(":"):
        session.notice(f"  {part}")


def _end_other_daemon(session: Session) -> None:
    """End a daemon that no service manager has started: the service could not start beside it."""
    from anyond.client.errors import ClientError

    file = daemon_file()
    if file is None or unit_of(file.pid) is not None:
        return
    own = Session(quiet=session.quiet)
    try:
        pid = stop_running(own)
    except ClientError:
        return  # it was killed, and left its file
    session.notice(f"The daemon that ran so far (process {pid}) was ended; its agents go on.")
