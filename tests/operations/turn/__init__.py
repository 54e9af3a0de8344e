"""Tests of `anyond/operations/turn`."""
