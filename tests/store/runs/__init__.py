"""Tests of `anyond/store/runs`."""
