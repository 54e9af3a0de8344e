"""Tests of `anyond/git/repo`."""
