"""Writing and removing the files of the service, and never a file of anybody else."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from anyond.editing import files
from anyond.model.configuration.variables import Variable
from anyond.model.errors import Unavailable
from anyond.model.refusals.daemon import ServiceConflict
from anyond.service.manager import Manager, Setup
from anyond.service.written_files import Authorship, Examined, Recipe, examine, put_aside

_CHOOSE_DIRECTORIES = (
    Variable.CONFIG_DIR,
    Variable.DATA_DIR,
    Variable.RUNTIME_DIR,
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
)


class Written(NamedTuple):
    """The outcome of an installation.

    Args:
        paths: the files that are there now.
        aside: where files are now that somebody had edited.
    """

    paths: tuple[Path, ...]
    aside: tuple[Path, ...]


def installed_recipe(manager: Manager) -> Recipe | None:
    """The wishes of the service that is installed; None if there is none of ours."""
    return examine(manager.places()[0]).recipe


def install(manager: Manager, setup: Setup, *, force: bool) -> Written:
    """Write the files, in the place of those that were written before, and start the service.

    Args:
        force: also where one of ours was edited; that one is kept under another name.

    Raises:
        ServiceConflict: a file is not ours, or was edited; nothing has changed.
        Unavailable: the disk or the service manager does not want to.
    """
    there = demand_ours(manager, force=force)
    contents = manager.contents(setup)
    if {one.path for one in there} - contents.keys():
        # The socket is to go, and systemd can stop it only as long as its unit is there.
        manager.deactivate()
    aside = _cleared(there, leave=contents.keys())
    for path, text in contents.items():
        files.write(path, text.encode(), mode=0o644)
    manager.activate(setup.recipe)
    return Written(tuple(contents), aside)


def uninstall(manager: Manager, *, force: bool) -> Written:
    """End the service, and remove its files; `paths` are those that were removed.

    Raises:
        ServiceConflict: a file is not ours, or was edited; nothing has changed.
        Unavailable: the disk or the service manager does not want to.
    """
    there = demand_ours(manager, force=force)
    if not there:
        raise ServiceConflict("There is no service to be removed.")
    manager.deactivate()
    aside = _cleared(there, leave=())
    manager.forget()
    return Written(tuple(one.path for one in there), aside)


def program() -> tuple[str, ...]:
    """The absolute path of this very command, as it will be found after an upgrade, too.

    A symbolic link, such as pipx makes, is not followed.
    """
    name = sys.argv[0]
    found = shutil.which(name) if os.sep not in name else os.path.abspath(name)
    is_script = found is not None and os.path.basename(found) in {"anyon", "anyond"}
    if found is not None and is_script and os.access(found, os.X_OK):
        return (found,)
    return (sys.executable, "-m", "anyond")


def chosen_directories(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables by which this command found its directories; the service is to find them."""
    return {
        str(name): os.path.abspath(os.path.expanduser(environ[name]))
        for name in _CHOOSE_DIRECTORIES
        if environ.get(name, "").strip()
    }


def demand_ours(manager: Manager, *, force: bool) -> list[Examined]:
    """The files that are there, all of them ours to replace.

    Args:
        force: also those that were edited.

    Raises:
        ServiceConflict: one is not.
    """
    there = [examine(path) for path in manager.places()]
    for one in there:
        if one.authorship is Authorship.FOREIGN:
            raise ServiceConflict(
                f"{one.path} was not written by `anyon service install`, so it stays as it is."
                " Move it away if the service is to be installed in its place."
            )
        if one.authorship is Authorship.EDITED and not force:
            raise ServiceConflict(
                f"{one.path} was edited since it was written. --force puts it aside under another"
                " name; what is to stay belongs into a file of your own"
                " (`systemctl --user edit anyond`)."
            )
    return [one for one in there if one.authorship is not Authorship.ABSENT]


def _cleared(there: list[Examined], leave: Collection[Path]) -> tuple[Path, ...]:
    """Put aside what was edited, and remove what is not in `leave`."""
    aside = []
    for one in there:
        if one.authorship is Authorship.EDITED:
            aside.append(put_aside(one.path))
        elif one.path not in leave:
            try:
                one.path.unlink(missing_ok=True)
            except OSError as error:
                raise Unavailable(f"{one.path} cannot be removed: {error.strerror}.") from error
    return tuple(aside)
