"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

# How long an example takes tells how busy the machine is, and nothing about the program.
settings.register_profile("anyon", deadline=None)
settings.load_profile("anyon")
