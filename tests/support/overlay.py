"""An object of which a few methods are others: it fails when a test wants it to."""

from __future__ import annotations

from typing import Any, TypeVar, cast

T = TypeVar("T")


def overlaid(real: T, **methods: Any) -> T:
    """What does all that `real` does, except for these methods."""
    return cast("T", _Overlay(real, methods))


class _Overlay:
    def __init__(self, real: object, methods: dict[str, Any]) -> None:
        self.__dict__.update(methods)
        self._real = real

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)
