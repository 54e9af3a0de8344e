"""Tests of `anyond/agents/acp`."""
