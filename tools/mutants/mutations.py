"""Mutations: which small faults a module can be given, each at one place of its syntax tree.

A mutant is known by where it is and what it changes, not by its line, so that the list of
survivors stays true while lines move. Not mutated are annotations, decorators, the texts of
messages, and calls that only log.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

_OPPOSITES: dict[type[ast.cmpop], tuple[str, type[ast.cmpop]]] = {
    ast.Eq: ("== → !=", ast.NotEq),
    ast.NotEq: ("!= → ==", ast.Eq),
    ast.Lt: ("< → <=", ast.LtE),
    ast.LtE: ("<= → <", ast.Lt),
    ast.Gt: ("> → >=", ast.GtE),
    ast.GtE: (">= → >", ast.Gt),
    ast.Is: ("is → is not", ast.IsNot),
    ast.IsNot: ("is not → is", ast.Is),
    ast.In: ("in → not in", ast.NotIn),
    ast.NotIn: ("not in → in", ast.In),
}
_ARITHMETIC: dict[type[ast.operator], tuple[str, type[ast.operator]]] = {
    ast.Add: ("+ → -", ast.Sub),
    ast.Sub: ("- → +", ast.Add),
    ast.Mult: ("* → //", ast.FloorDiv),
    ast.Div: ("/ → *", ast.Mult),
    ast.FloorDiv: ("// → *", ast.Mult),
}
_NEGATIONS = (ast.Eq, ast.NotEq, ast.Is, ast.IsNot, ast.In, ast.NotIn)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
# Keywords of these calls may be left out one by one; of others that is a TypeError, or a default.
_KEYWORDS_OF = frozenset({"replace", "Row"})
_LOGS = frozenset({"log", "_log", "logger"})
_SKIPPED = frozenset(
    {"annotation", "returns", "decorator_list", "bases", "pattern", "ops", "op", "ctx", "type"}
)
_LONGEST = 70


class Mutant(NamedTuple):
    """One fault.

    Attributes:
        name: the function it is in, what is changed and to what; unique in its module.
        line: where it is now, from 1.
        lines: the first and the last line of its statement (of a compound one: of its head).
    """

    name: str
    line: int
    lines: tuple[int, int]


class _Change(NamedTuple):
    scope: str
    text: str
    line: int
    lines: tuple[int, int]
    make: Callable[[], None]


class _Slot(NamedTuple):
    """The place of a node in the tree."""

    parent: ast.AST
    field: str
    position: int | None

    def put(self, node: ast.AST) -> None:
        if self.position is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.position] = node


def mutants(source: str) -> list[Mutant]:
    """All mutants of a module, in the order of its text."""
    seen: Counter[str] = Counter()
    found = []
    for change in _Walk(source).changes():
        name = f"{change.scope}: {change.text}"
        seen[name] += 1
        if seen[name] > 1:
            name += f" ({seen[name]})"
        found.append(Mutant(name, change.line, change.lines))
    return found


def mutated(source: str, name: str) -> ast.Module:
    """The tree of a module with one fault in it.

    Args:
        name: of one of `mutants(source)`.

    Raises:
        ValueError: the module has no such mutant.
    """
    walk = _Walk(source)
    for mutant, change in zip(mutants(source), list(walk.changes()), strict=True):
        if mutant.name == name:
            change.make()
            return ast.fix_missing_locations(walk.tree)
    raise ValueError(f"no mutant is called {name!r}")


class _Walk:
    """One walk through a tree, which the changes that it gives are made in."""

    def __init__(self, source: str) -> None:
        self.tree = ast.parse(source)
        self._lines = [line.encode() for line in source.splitlines(keepends=True)]

    def changes(self) -> Iterator[_Change]:
        yield from self._below(self.tree, "module", (1, 1))

    def _below(self, node: ast.AST, scope: str, lines: tuple[int, int]) -> Iterator[_Change]:
        if isinstance(node, _SCOPES):
            scope = node.name if scope == "module" else f"{scope}.{node.name}"
        for field, value in ast.iter_fields(node):
            if field in _SKIPPED or (isinstance(node, ast.ClassDef) and field == "keywords"):
                continue
            children = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
            for index, child in children:
                if not isinstance(child, ast.AST) or _is_left_alone(child):
                    continue
                within = span(child) if isinstance(child, ast.stmt) else lines
                for text, make in self._faults(child, _Slot(node, field, index)):
                    yield _Change(scope, text, getattr(child, "lineno", within[0]), within, make)
                yield from self._below(child, scope, within)

    def _faults(self, node: ast.AST, slot: _Slot) -> Iterator[tuple[str, Callable[[], None]]]:
        """The faults of one node itself, not of those below it."""
        text = self._short(node)
        match node:
            case ast.Compare(ops=[op]) if type(op) in _OPPOSITES:
                change, other = _OPPOSITES[type(op)]
                yield f"`{text}`: {change}", _setter(node, "ops", [other()])
            case ast.BoolOp(op=ast.And()):
                yield f"`{text}`: and → or", _setter(node, "op", ast.Or())
            case ast.BoolOp():
                yield f"`{text}`: or → and", _setter(node, "op", ast.And())
            case ast.UnaryOp(op=ast.Not()):
                yield f"`{text}`: without not", _putter(slot, node.operand)
            case ast.BinOp(op=operator) if type(operator) in _ARITHMETIC and not _is_text(node):
                change, opposite = _ARITHMETIC[type(operator)]
                yield f"`{text}`: {change}", _setter(node, "op", opposite())
            case ast.Constant(value=bool() as value):
                yield f"{value} → {not value}", _setter(node, "value", not value)
            case ast.Constant(value=int() | float() as number):
                yield f"{number} → {number + 1}", _setter(node, "value", number + 1)
            case ast.Tuple(ctx=ast.Load()) | ast.List(ctx=ast.Load()) | ast.Set():
                for n, element in enumerate(node.elts):
                    rest = [*node.elts[:n], *node.elts[n + 1 :]]
                    yield f"without `{self._short(element)}`", _setter(node, "elts", rest)
            case ast.Call(func=ast.Name(id=called)) if called in _KEYWORDS_OF:
                for n, keyword in enumerate(node.keywords):
                    others = [*node.keywords[:n], *node.keywords[n + 1 :]]
                    yield f"without `{self._short(keyword)}`", _setter(node, "keywords", others)
            case ast.Return(value=ast.expr() as value) if not _is_none(value):
                yield f"`{text}`: return None", _setter(node, "value", ast.Constant(None))
            case ast.Break():
                yield "break → continue", _putter(slot, ast.Continue())
            case ast.Continue():
                yield "continue → break", _putter(slot, ast.Break())
            case (
                ast.Expr(value=ast.Call() | ast.Await())
                | ast.AugAssign()
                | ast.Delete()
                | ast.Raise()
                | ast.Assign(targets=[ast.Attribute() | ast.Subscript()])
            ):
                yield f"without `{text}`", _putter(slot, ast.Pass())
            case (
                ast.With(items=[ast.withitem(optional_vars=None) as item])
                | ast.AsyncWith(items=[ast.withitem(optional_vars=None) as item])
            ):
                body = ast.If(ast.Constant(True), node.body, [])
                yield f"without with `{self._short(item.context_expr)}`", _putter(slot, body)
            case _:
                pass
        if slot.field in {"test", "guard", "ifs"} and _can_be_negated(node):
            assert isinstance(node, ast.expr)
            yield f"`{text}`: negated", _putter(slot, ast.UnaryOp(ast.Not(), node))

    def _short(self, node: ast.AST) -> str:
        """Its source, cut; what `ast.unparse` writes depends on the version of Python."""
        if not isinstance(node, ast.expr | ast.stmt | ast.keyword):
            return ""
        assert node.end_lineno is not None
        lines = self._lines[node.lineno - 1 : node.end_lineno]
        lines[-1] = lines[-1][: node.end_col_offset]
        lines[0] = lines[0][node.col_offset :]
        text = " ".join(b"".join(lines).decode().split())
        return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _putter(slot: _Slot, node: ast.AST) -> Callable[[], None]:
    return lambda: slot.put(node)


def _setter(node: ast.AST, field: str, value: object) -> Callable[[], None]:
    return lambda: setattr(node, field, value)


def span(node: ast.stmt) -> tuple[int, int]:
    """The first and the last line of a statement; of a compound one, of its head."""
    body = getattr(node, "body", None) or getattr(node, "cases", None)
    if not body:
        return node.lineno, node.end_lineno or node.lineno
    first = body[0].pattern.lineno if isinstance(body[0], ast.match_case) else body[0].lineno
    return node.lineno, max(node.lineno, first - 1)


def _is_left_alone(node: ast.AST) -> bool:
    match node:
        case ast.JoinedStr() | ast.Import() | ast.ImportFrom() | ast.Assert():
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__" | "__slots__")]):
            return True
        case ast.Subscript(value=ast.Name(id=name)) if name[:1].isupper():
            return True  # the arguments of a generic type
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)))):
            return name in _LOGS
        case _:
            return False


def _is_text(node: ast.BinOp) -> bool:
    return any(
        isinstance(side, ast.JoinedStr)
        or (isinstance(side, ast.Constant) and isinstance(side.value, str | bytes))
        for side in (node.left, node.right)
    )


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _can_be_negated(node: ast.AST) -> bool:
    """Return whether its negation is a fault of its own, and not that of another mutation."""
    if isinstance(node, ast.Constant):
        return False
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return False
    return not (isinstance(node, ast.Compare) and isinstance(node.ops[0], _NEGATIONS))
