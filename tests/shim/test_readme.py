"""The contract of the shim is true of its code, as far as a table can be compared with it."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from pathlib import Path

import anyond.shim
from anyond.procs.shims import launcher
from anyond.shim import protocol, shim, supervisor
from anyond.shim.spool import log

README = (Path(anyond.shim.__file__).parent / "README.md").read_text()


def section(title: str) -> str:
    return README.split(f"\n## {title}\n")[1].split("\n## ")[0]


def rows(title: str) -> list[list[str]]:
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def first_cells(title: str) -> set[str]:
    return {row[0].strip("`") for row in rows(title)}


def strings(code: object, kind: type) -> set[object]:
    tree = ast.parse(inspect.cleandoc("\n" + inspect.getsource(code)))  # type: ignore[arg-type]
    found = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {value for value in found if isinstance(value, kind)}


def test_each_number_is_the_one_in_the_code() -> None:
    found = rows("Numbers")
    assert len(found) > 10
    for name, value, _ in found:
        module, _, constant = name.strip("`").rpartition(".")
        told = getattr(importlib.import_module(f"anyond.shim.{module}"), constant)
        assert str(told) == value, name


def test_all_verbs_are_there_and_no_other() -> None:
    verbs = set(re.findall(r'verb == b"(\w+)"', inspect.getsource(supervisor.Supervisor._obey)))
    assert first_cells("Control frames") == verbs | {"hello"}


def test_the_protocol_and_its_history_are_those_of_the_code() -> None:
    assert f"The protocol is **{protocol.PROTOCOL}**" in README
    assert protocol.SUPPORTED == (protocol.PROTOCOL - 1, protocol.PROTOCOL)
    history = [int(row[0]) for row in rows("The number")]
    assert history == list(range(1, protocol.PROTOCOL + 1))


def test_the_fields_of_each_file_are_named() -> None:
    spec = inspect.getsource(launcher.Launcher.start).split("spec = {")[1].split("}")[0]
    for field in re.findall(r'"(\w+)":', spec):
        assert f"`{field}`" in section("Spool files"), field
    run = inspect.getsource(supervisor.Supervisor.start).split("write_json")[0]
    for field in re.findall(r'"(\w+)":', run):
        assert f"`{field}`" in section("Spool files"), field
    gap = inspect.getsource(log.Log._shorten).split("gap = {")[1].split("}")[0]
    for field in re.findall(r'"(\w+)":', gap):
        assert f"`{field}`" in section("Spool files"), field
    end = inspect.getsource(supervisor.Supervisor._finish).split("write_exit(")[1]
    for field in re.findall(r"^ {16}(\w+)=", end, re.MULTILINE):
        assert f"`{field}`" in section("The end"), field


def test_the_signals_that_are_ignored_are_named() -> None:
    for name in re.findall(r"signal\.(SIG(?!_|CHLD|KILL)\w+)", inspect.getsource(shim.main)):
        assert name in section("Signals"), name
