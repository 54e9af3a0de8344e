"""Tests of `anyond/git/diff`."""
