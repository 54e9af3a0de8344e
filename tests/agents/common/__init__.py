"""Tests of `anyond/agents/common`."""
