"""Tests of `anyond/operations/run`."""
