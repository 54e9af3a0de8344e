"""Tests of `anyond/agents/amp`."""
