"""Tests of `anyond/agents/json_rpc`."""
