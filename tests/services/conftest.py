"""Services stand on the same resources as the actors that they ask."""

from __future__ import annotations

from tests.actors.conftest import about, resources

__all__ = ["about", "resources"]
