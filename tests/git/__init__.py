"""Tests of `anyond/git`."""
