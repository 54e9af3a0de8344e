"""The root of the checkout, from which programs of the benchmarks are started."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[1]
