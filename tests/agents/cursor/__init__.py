"""Tests of `anyond/agents/cursor`."""
