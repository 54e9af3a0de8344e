"""The verb `export`."""

from __future__ import annotations

from pathlib import Path

import click

from anyond.cli.common import in_trio
from anyond.cli.frame.commands import Verb
from anyond.cli.frame.session import current, print_line


@click.command(
    cls=Verb,
    short_help="Write tasks, conversations, logs and branches for elsewhere.",
    examples=[
        ("anyon export anyon.zip", "everything, in one file"),
        ("anyon export DIRECTORY --project tea", "one project; again: what has changed"),
        ("anyon import anyon anyon.zip", "on another machine"),
    ],
)
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--project", "projects", multiple=True, metavar="NAME", help="Only it. Repeatable.")
@click.option("--no-logs", is_flag=True, help="Leave out raw logs; conversations stay.")
def export(*, path: Path, projects: tuple[str, ...], no_logs: bool) -> None:
    """Write projects, tasks, attempts, conversations, logs, images, tags, and the branches of all
    attempts to a directory, or to a file that ends in .zip.

    It can be done beside a daemon and agents at work. Interrupted, it can be done again. What is in
    it is plain JSON, logs, bundles and patches of git; docs/backup.md describes it. Settings and
    tokens are not in it; what agents have read and said is.
    """
    from anyond.cli.rendering.progress import progress_line
    from anyond.exporting import writing
    from anyond.exporting.writing import Written
    from anyond.host.app_paths import AppPaths

    session = current()
    path = path.absolute()
    made: list[Written] = []

    async def work() -> None:
        made.append(
            await writing.write(AppPaths.of(), path, line.show, projects=projects, logs=not no_logs)
        )

    with progress_line(quiet=session.quiet) as line:
        in_trio(work)
    [written] = made
    if session.as_json:
        session.print_json(
            {
                "path": str(written.path),
                "tables": written.tables,
                "left_out": written.left_out,
            }
        )
        return
    print_line(str(written.path))
    for sentence in written.left_out:
        session.notice(sentence)
    counts = written.tables
    session.notice(
        f"{counts['projects']} projects, {counts['tasks']} tasks,"
        f" {counts['task_attempts']} attempts."
    )
