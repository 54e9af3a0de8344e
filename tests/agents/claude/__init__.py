"""Tests of `anyond/agents/claude`."""
