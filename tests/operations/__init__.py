"""Tests of `anyond/operations`."""
