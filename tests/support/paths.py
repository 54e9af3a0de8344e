"""Directories of this checkout that tests read from."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
TRANSCRIPTS = ROOT / "tests" / "transcripts"
"""Recorded dialogues, a folder for each agent."""

SCRIPTED_AGENTS = ROOT / "tests" / "support" / "fakes" / "agents"
"""Programs that speak as agents do, run by their path."""

SCRIPTED_PROGRAMS = ROOT / "tests" / "support" / "fakes" / "programs"
"""Stand-ins of small programs that are not everywhere, run by their path."""
