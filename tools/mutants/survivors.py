"""Survivors: the mutants that no test notices, each with the reason why that is all right."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import NamedTuple

LIST = Path(__file__).with_name("survivors.toml")


class Survivor(NamedTuple):
    """A mutant that is known to survive.

    Attributes:
        name: as it is printed, with its module.
        reason: why no test needs to notice it.
    """

    name: str
    reason: str


def read(path: Path = LIST) -> dict[str, Survivor]:
    """All survivors that are listed, by name.

    Raises:
        ValueError: one is listed twice, or without a reason.
    """
    found: dict[str, Survivor] = {}
    for reason in tomllib.loads(path.read_text()).get("because", []):
        if not reason["reason"].strip():
            raise ValueError(f"no reason is given for {reason['mutants']}")
        for name in reason["mutants"]:
            if name in found:
                raise ValueError(f"{name} is listed twice")
            found[name] = Survivor(name, reason["reason"])
    return found
