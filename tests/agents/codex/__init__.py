"""Tests of `anyond/agents/codex`."""
