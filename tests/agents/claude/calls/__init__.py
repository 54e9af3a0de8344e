"""Tests of `anyond/agents/claude/calls`."""
