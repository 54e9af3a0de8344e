"""Tests of `anyond/git/snapshots`."""
