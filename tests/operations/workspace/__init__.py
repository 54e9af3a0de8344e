"""Tests of `anyond/operations/workspace`."""
