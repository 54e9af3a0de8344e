"""The page of all commands is what the commands declare, and lacks none of them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

import click

from anyond.cli import main, manual
from anyond.cli.reference import _prose, page
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "cli.md"


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """A command with its path as it is typed, and all inside it."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from commands(inner, f"{path} {name}")


def test_the_page_is_what_is_declared() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_the_manual_page_is_what_is_declared_and_legible() -> None:
    file = ROOT / "data" / "share" / "man" / "man1" / "anyon.1"
    assert file.read_text(encoding="utf-8") == manual.page()
    for path in dict(commands(main, "anyon")):
        assert f".SS {path}".replace("-", r"\-") in manual.page() or path == "anyon"
    groff = shutil.which("groff")
    if groff is not None:
        done = subprocess.run(
            [groff, "-man", "-Kutf8", "-Tutf8", "-ww", file], capture_output=True, check=True
        )
        assert done.stderr == b""


def test_each_command_has_a_chapter_with_all_its_options() -> None:
    chapters = {
        chapter.partition("`")[0]: chapter for chapter in PAGE.read_text().split("\n## `")[1:]
    }
    every = dict(commands(main, "anyon"))
    assert chapters.keys() == every.keys()
    assert {"anyon serve", "anyon snapshots restore"} <= every.keys()
    for path, command in every.items():
        for parameter in command.params:
            if getattr(parameter, "hidden", False):
                continue  # those that all commands have are told once
            for name in parameter.opts if isinstance(parameter, click.Option) else ():
                assert name in chapters[path], f"{path} {name}"


def test_what_looks_like_markup_stands_for_itself_outside_of_code() -> None:
    assert _prose("A_B, `A_B` and <C>") == r"A\_B, `A_B` and \<C\>"
