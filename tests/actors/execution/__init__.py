"""Tests of `anyond/actors/execution`."""
