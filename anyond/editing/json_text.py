"""Changing one value inside a JSON text while every other character stays, comments too.

The text may have comments and trailing commas, as several agents write and accept them. What is
not looked into is read by Python's own parser, so that megabytes around the value cost little.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from msgspec import Struct

_TRIVIA = re.compile(r"(?:[ \t\r\n\ufeff]+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_SAME_LINE = re.compile(r"(?:[ \t]+|/\*[^\n]*?\*/)*(?://[^\r\n]*)?")


class NotJson(ValueError):
    """The text is not JSON, with or without comments; the sentence says where it is not."""


class _Member(Struct, frozen=True):
    """One member of an object: where its key begins, its value, and the comma behind it."""

    key: str
    start: int
    value: _Node
    comma: int | None


class _Node(Struct, frozen=True):
    """A value and where it stands in the text."""

    start: int
    end: int
    value: Any


def decode(text: str) -> Any:
    """The value of `text`. Raises `NotJson`."""
    return _Reader(text).whole().value


def replace(text: str, path: tuple[str, ...], value: Mapping[str, Any]) -> str:
    """`text` with `value` at `path`; objects on the way that are missing are made.

    Members that are as they should be keep their text. New ones follow the others, indented as
    the text is.

    Raises:
        NotJson: also if there is something else than an object on the way.
    """
    root = _Reader(text).whole()
    new_value = nested(root.value, path, value)
    edits: list[tuple[int, int, str]] = []
    _Editor(text, edits).change(root, new_value)
    # At one place what is added comes before what is taken away, each in its own order.
    edits.sort(key=lambda edit: (edit[0], edit[0] < edit[1]))
    for start, end, new in reversed(edits):
        text = text[:start] + new + text[end:]
    return text


def nested(old: Any, path: tuple[str, ...], value: Mapping[str, Any]) -> Any:
    """The value `old` with `value` at `path`. Raises `NotJson` as `replace` does."""
    if not path:
        return dict(value)
    if not isinstance(old, dict):
        raise NotJson(f"There is no object to put {path[0]!r} into.")
    inside = old.get(path[0])
    return {**old, path[0]: nested({} if inside is None else inside, path[1:], value)}


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._fast = json.JSONDecoder(parse_constant=_no_constant)

    def whole(self) -> _Node:
        start = self._skip(0)
        try:
            node = self._node(start)
        except RecursionError:
            raise NotJson("It is nested too deeply.") from None
        if self._skip(node.end) != len(self._text):
            raise self._wrong(self._skip(node.end), "the end")
        return node

    def members(self, node: _Node) -> list[_Member]:
        """The members of an object, with their places."""
        return self._members(node.start)[0]

    def _skip(self, at: int) -> int:
        found = _TRIVIA.match(self._text, at)
        assert found is not None  # it matches nothing, too
        return found.end()

    def _node(self, at: int) -> _Node:
        try:
            value, end = self._fast.raw_decode(self._text, at)
            return _Node(at, end, value)
        except ValueError:
            pass  # it has comments, a trailing comma, or a mistake: these are told apart below
        opening = self._text[at : at + 1]
        if opening == "{":
            members, end = self._members(at)
            return _Node(at, end, {m.key: m.value.value for m in members})
        if opening == "[":
            items, end = self._items(at)
            return _Node(at, end, items)
        raise self._wrong(at, "a value")

    def _members(self, at: int) -> tuple[list[_Member], int]:
        members: list[_Member] = []
        at = self._skip(at + 1)
        while self._text[at : at + 1] != "}":
            start = at
            if self._text[at : at + 1] != '"':
                raise self._wrong(at, 'a key in quotes or "}"')
            key = self._node(at)
            at = self._skip(key.end)
            if self._text[at : at + 1] != ":":
                raise self._wrong(at, '":"')
            value = self._node(self._skip(at + 1))
            at = self._skip(value.end)
            comma = at if self._text[at : at + 1] == "," else None
            members.append(_Member(key.value, start, value, comma))
            if comma is not None:
                at = self._skip(comma + 1)
            elif self._text[at : at + 1] != "}":
                raise self._wrong(at, '"," or "}"')
        return members, at + 1

    def _items(self, at: int) -> tuple[list[Any], int]:
        items: list[Any] = []
        at = self._skip(at + 1)
        while self._text[at : at + 1] != "]":
            item = self._node(at)
            items.append(item.value)
            at = self._skip(item.end)
            if self._text[at : at + 1] == ",":
                at = self._skip(at + 1)
            elif self._text[at : at + 1] != "]":
                raise self._wrong(at, '"," or "]"')
        return items, at + 1

    def _wrong(self, at: int, expected: str) -> NotJson:
        line = self._text.count("\n", 0, at) + 1
        column = at - self._text.rfind("\n", 0, at)
        return NotJson(f"Line {line}, column {column}: {expected} is expected there.")


class _Editor:
    def __init__(self, text: str, edits: list[tuple[int, int, str]]) -> None:
        self._text = text
        self._edits = edits
        self._reader = _Reader(text)
        self._newline = "\r\n" if "\r\n" in text else "\n"
        found = re.search(r"\n([ \t]+)\S", text)
        self._unit = found[1] if found else "  "
        self._one_line = "\n" not in text.strip() and len(text.strip()) > 2

    def change(self, node: _Node, new_value: Any) -> None:
        """Make the value of `node` the `new_value` one, touching as little as can be."""
        if _same(node.value, new_value):
            return
        if not isinstance(node.value, dict) or not isinstance(new_value, dict):
            self._edits.append((node.start, node.end, self._written(new_value, node.start)))
            return
        members = self._reader.members(node)
        last = {member.key: index for index, member in enumerate(members)}
        # Of several members of one name only the last ever counted.
        remaining = [
            m for index, m in enumerate(members) if m.key in new_value and last[m.key] == index
        ]
        new = {key: value for key, value in new_value.items() if key not in last}
        for member in remaining:
            self.change(member.value, new_value[member.key])
        gone = [self._place(member) for member in members if member not in remaining]
        if new and not remaining:
            self._fill(node, gone, new)
            return
        self._edits += [(start, end, "") for start, end in gone]
        if remaining:
            self._end_with(remaining[-1], new, trailing=members[-1].comma is not None)

    def _place(self, member: _Member) -> tuple[int, int]:
        """Return the span of a member, with its comma and, if it has lines of its own, with
        these.
        """
        end = member.value.end if member.comma is None else member.comma + 1
        begin = member.start
        line = self._text.rfind("\n", 0, begin) + 1
        rest = _same_line_end(self._text, end)
        if not self._text[line:begin].strip() and self._text[rest : rest + 1] in {"\r", "\n"}:
            begin = line - 2 if self._text[line - 2 : line] == "\r\n" else line - 1
            end = rest
        else:
            while self._text[begin - 1] in " \t":
                begin -= 1
        return begin, end

    def _end_with(self, member: _Member, new: Mapping[str, Any], *, trailing: bool) -> None:
        """Let `member` be the last of the old ones, with `new` ones behind it."""
        if not new:
            if member.comma is not None and not trailing:
                self._edits.append((member.comma, member.comma + 1, ""))
            return
        if member.comma is None:
            self._edits.append((member.value.end, member.value.end, ","))
            behind = member.value.end
        else:
            behind = member.comma + 1
        line = self._text.rfind("\n", 0, member.start) + 1
        if line and not self._text[line : member.start].strip():
            indent = self._text[line : member.start]
            behind = _same_line_end(self._text, behind)
            texts = self._members(new, indent)
            self._edits.append((behind, behind, "".join(self._newline + t for t in texts)))
        else:
            self._edits.append((behind, behind, " " + _dumps(new)[1:-1]))

    def _fill(self, node: _Node, gone: Sequence[tuple[int, int]], new: Mapping[str, Any]) -> None:
        """Put `new` members into an object of which only comments are left."""
        inside = self._text[node.start + 1 : node.end - 1]
        for start, end in reversed(gone):
            inside = inside[: start - node.start - 1] + inside[end - node.start - 1 :]
        inside = inside.rstrip(" \t\r\n")
        if self._one_line:
            inside += _dumps(new)[1:-1]
        else:
            indent = self._indent(node.start)
            for text in self._members(new, indent + self._unit):
                inside += self._newline + text
            inside += self._newline + indent
        self._edits.append((node.start + 1, node.end - 1, inside))

    def _members(self, new: Mapping[str, Any], indent: str) -> list[str]:
        texts = [f"{indent}{_dumps(k)}: {self._indented(v, indent)}" for k, v in new.items()]
        return [f"{text}," for text in texts[:-1]] + texts[-1:]

    def _written(self, value: Any, at: int) -> str:
        return self._indented(value, self._indent(at))

    def _indented(self, value: Any, indent: str) -> str:
        indented = None if self._one_line else self._unit
        text = json.dumps(value, indent=indented, ensure_ascii=False)
        return text.replace("\n", f"{self._newline}{indent}")

    def _indent(self, at: int) -> str:
        line = self._text.rfind("\n", 0, at) + 1
        found = re.match(r"[ \t]*", self._text[line:at])
        return found[0] if found else ""


def _same_line_end(text: str, at: int) -> int:
    """Return the end of blanks and comments that belong to what stands before `at` on its line."""
    found = _SAME_LINE.match(text, at)
    end = found.end() if found else at
    return end if text[end : end + 1] in {"", "\r", "\n"} else at


def _same(one: Any, other: Any) -> bool:
    return _dumps(one, sort_keys=True) == _dumps(other, sort_keys=True)


def _dumps(value: Any, *, sort_keys: bool = False) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=sort_keys)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
