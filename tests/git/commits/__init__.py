"""Tests of `anyond/git/commits`."""
