"""Tests of `anyond/agents`."""
