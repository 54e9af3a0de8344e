"""Patches: a fault put into functions that are imported already.

What a function does is its code object, and that can be exchanged while the function stays the
same, for whoever has imported or decorated it. What a module does while it is imported (tables,
constants, classes) cannot be exchanged afterwards.
"""

from __future__ import annotations

import ast
import gc
from collections import Counter
from collections.abc import Iterable, Iterator
from types import CodeType, FunctionType

Key = tuple[str, str, int]
_RUN_AT_ONCE = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")


def changed_functions(path: str, source: str, tree: ast.Module) -> list[CodeType] | None:
    """The functions of a module that differ in a changed tree of it.

    Args:
        path: the file of the module, as its functions know it.

    Returns:
        The code of each, changed; None if more differs than functions.
    """
    before = compile(ast.parse(source), path, "exec", dont_inherit=True)
    after = compile(tree, path, "exec", dont_inherit=True)
    changed = list(_changed(before, after, in_function=False))
    every = Counter(key(code) for code in _functions(after))
    if not changed or any(code is None or every[key(code)] > 1 for code in changed):
        return None
    return [code for code in changed if code is not None]


def key(code: CodeType) -> Key:
    """The identity of a function in a file."""
    return code.co_filename, code.co_qualname, code.co_firstlineno


def living_functions(paths: set[str]) -> dict[Key, list[FunctionType]]:
    """All functions of these files that there are now."""
    found: dict[Key, list[FunctionType]] = {}
    for thing in gc.get_objects():
        if type(thing) is FunctionType and thing.__code__.co_filename in paths:
            found.setdefault(key(thing.__code__), []).append(thing)
    return found


def patch(codes: Iterable[CodeType], living: dict[Key, list[FunctionType]]) -> bool:
    """Exchange what these functions do; returns False, and changes nothing, if one cannot be."""
    found = [(function, code) for code in codes for function in living.get(key(code), [])]
    if not found or any(f.__code__.co_freevars != code.co_freevars for f, code in found):
        return False
    for function, code in found:
        function.__code__ = code
    return True


def _changed(before: CodeType, after: CodeType, *, in_function: bool) -> Iterator[CodeType | None]:
    """Each function that differs; None where something else does."""
    inner_before, inner_after = _inner(before), _inner(after)
    if before == after:
        return
    if in_function:
        yield after
    elif len(inner_before) != len(inner_after) or _alone(before) != _alone(after):
        yield None
        return
    if len(inner_before) != len(inner_after):
        return  # those that are there live in functions that are made anew
    for one, other in zip(inner_before, inner_after, strict=True):
        function = bool(other.co_flags & 0x2)  # CO_NEWLOCALS: no class
        if one != other and not in_function and other.co_name in _RUN_AT_ONCE:
            yield None
        else:
            yield from _changed(one, other, in_function=function)


def _inner(code: CodeType) -> list[CodeType]:
    return [constant for constant in code.co_consts if isinstance(constant, CodeType)]


def _alone(code: CodeType) -> CodeType:
    """It without the functions and classes in it."""
    rest = tuple(None if isinstance(c, CodeType) else c for c in code.co_consts)
    return code.replace(co_consts=rest)


def _functions(code: CodeType) -> Iterator[CodeType]:
    for inner in _inner(code):
        yield inner
        yield from _functions(inner)
