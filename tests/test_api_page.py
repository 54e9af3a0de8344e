"""The page about the API names every refusal that the code can utter, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from anyond.http.sse import KINDS
from anyond.model.refusals import Rejected

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "api.md").read_text()
INSIDE = {"gone", "already_running"}
"""What no answer to a request is: streams begin anew instead, and a daemon does not start."""
MADE = {
    # Names that are put together while the program runs, or stand as a default.
    *("rebase_in_progress", "merge_in_progress", "cherry_pick_in_progress", "revert_in_progress"),
    *("impossible", "expired_token", "access_denied"),
}
WORD = re.compile(r"[a-z]+(_[a-z]+)*")


def uttered(tree: ast.AST) -> Iterator[str]:
    """The types that stand in the program as they are."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Name(id="Conflict" | "_refused"), args=[ast.Constant(value=str(type_)), *_]
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
    found = {
        type_
        for room in (*rooms, "operations", "actors", "http")
        for file in (ROOT / "anyond" / room).rglob("*.py")
        for type_ in uttered(ast.parse(file.read_text()))
        if WORD.fullmatch(type_)
    }
    return (found | MADE) - INSIDE


def told() -> set[str]:
    table = PAGE.split("### What `error_data.type` can be")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return {type_ for row in rows for type_ in re.findall(r"`(\w+)`", row)}


def test_every_type_of_refusal_is_told_and_no_other() -> None:
    assert told() == known()
    assert {"busy", "invalid", "merge_conflicts", "token_missing"} <= known()


def test_what_the_page_says_of_pushes_and_events_is_so() -> None:
    for reason in ("non_fast_forward", "stale", "remote", "local_hook"):
        assert f"`{reason}`" in PAGE
        Rejected(reason, "main")
    for kind in KINDS:
        assert f"`{kind}`" in PAGE


def test_the_links_of_the_documentation_lead_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
    for page in pages:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
