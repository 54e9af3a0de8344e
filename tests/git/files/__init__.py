"""Tests of `anyond/git/files`."""
