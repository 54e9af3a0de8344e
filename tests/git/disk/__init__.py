"""Tests of `anyond/git/disk`."""
