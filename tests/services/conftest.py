"""Services stand on the same resources as the actors that they ask."""

from __future__ import annotations

from tests.actors.conftest import about, rooms

__all__ = ["about", "rooms"]
