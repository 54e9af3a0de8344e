"""The verb `doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from anyond.cli.frame.commands import Verb
from anyond.cli.frame.exit_codes import ExitCode
from anyond.cli.frame.session import Session, current, print_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anyond.doctor.findings import Finding, Fixed


@click.command(
    cls=Verb,
    short_help="Look for what is wrong, and tell the remedy.",
    examples=[
        ("anyon doctor", "exit code 1 if something does not work"),
        ("anyon doctor --fix", "take the steps that can be undone"),
    ],
)
@click.option("--fix", is_flag=True, help="Take the remedies that can be undone, and say each.")
def doctor(*, fix: bool) -> int:
    """Look at everything that Anyon needs, with or without a daemon, and change nothing.

    Each line is a check: ✓ is well, ! is worth a look, ✗ is in the way; a remedy stands below. With
    --fix those remedies are taken that can be undone (a mode, a name), and each is said with the
    way back.
    """
    import trio

    from anyond.doctor.examination import examine, repair
    from anyond.doctor.facts import Facts
    from anyond.doctor.findings import Level
    from anyond.host.app_paths import AppPaths

    session = current()
    paths = AppPaths.of()
    found = trio.run(examine, Facts(paths))
    fixed: Sequence[Fixed] = ()
    failed: Sequence[str] = ()
    if fix and any(one.fix is not None for one in found):
        fixed, failed = repair(found)
        found = trio.run(examine, Facts(paths))
    if session.as_json:
        session.print_json(
            {
                "checks": [
                    {
                        "check": one.check,
                        "level": one.level.value,
                        "sentence": one.sentence,
                        "remedy": one.remedy,
                        "fixable": one.fix is not None,
                    }
                    for one in found
                ],
                "fixed": [one._asdict() for one in fixed],
                "not_fixed": list(failed),
            }
        )
    else:
        _print(session, found, fixed, failed)
    in_the_way = any(one.level is Level.FAIL for one in found)
    return ExitCode.FAILED.value if in_the_way or failed else ExitCode.DONE.value


def _print(
    session: Session, found: Sequence[Finding], fixed: Sequence[Fixed], failed: Sequence[str]
) -> None:
    from anyond.cli.rendering.colors import Painter, Style
    from anyond.cli.rendering.harmless import in_one_line
    from anyond.doctor.findings import Level

    paint = Painter(session.colored())
    marks = {
        Level.OK: paint("✓", Style.GOOD),
        Level.WARN: paint("!", Style.ATTENTION),
        Level.FAIL: paint("✗", Style.BAD),
    }
    for step in fixed:
        print_line(f"Mended: {in_one_line(step.done)}\n  To undo it: {in_one_line(step.undo)}")
    for sentence in failed:
        print_line(in_one_line(sentence))
    width = max(len(one.check) for one in found)
    for one in found:
        print_line(f"{marks[one.level]} {one.check:<{width}}  {in_one_line(one.sentence)}")
        if one.remedy:
            print_line(f"  {'':<{width}}  {in_one_line(one.remedy)}")
    if not fixed and any(one.fix is not None for one in found):
        session.notice("`anyon doctor --fix` takes those remedies that can be undone.")
