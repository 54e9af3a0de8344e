"""Tests of `anyond/git/merging`."""
