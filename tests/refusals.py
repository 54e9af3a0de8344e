"""Which types of refusals the program can utter, as its sources tell."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parents[1]
INSIDE = {"gone", "already_running"}
"""What no answer to a request is: streams begin anew instead, and a daemon does not start."""
MADE = {
    # Names that are put together while the program runs, or stand as a default.
    *("rebase_in_progress", "merge_in_progress", "cherry_pick_in_progress", "revert_in_progress"),
    *("impossible", "expired_token", "access_denied", "git_programs_withheld"),
}
WORD = re.compile(r"[a-z]+(_[a-z]+)*")


def uttered(tree: ast.AST) -> Iterator[str]:
    """The types that stand in the program as they are."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Name(id="Conflict" | "_refused" | "Refusal"),
                args=[ast.Constant(value=str(type_)), *_],
            ):
                yield type_
            case ast.Call(func=ast.Name(id="Impossible"), args=[_, _, ast.Constant(value=type_)]):
                yield type_
            case ast.ClassDef(bases=[ast.Name(id="Conflict")]):
                yield from _named(node)
            case ast.Dict(
                keys=[ast.Constant(value="type"), *_], values=[ast.Constant(value=t), *_]
            ):
                yield str(t)


def _named(definition: ast.ClassDef) -> Iterator[str]:
    for node in ast.walk(definition):
        match node:
            case ast.Call(
                func=ast.Attribute(attr="__init__"), args=[ast.Constant(value=str(type_)), *_]
            ):
                yield type_


def known() -> set[str]:
    rooms = ("model", "store", "git", "github", "procs", "files", "settings")
    above = ("operations", "watchers", "actors", "services", "http")
    package = ROOT / "anyond"
    folders = [(package / room).rglob("*.py") for room in (*rooms, *above)]
    found = {
        type_
        for file in chain(package.glob("*.py"), *folders)
        if not {"openapi", "vk"} & set(file.parts)
        for type_ in uttered(ast.parse(file.read_text()))
        if WORD.fullmatch(type_)
    }
    return (found | MADE) - INSIDE
