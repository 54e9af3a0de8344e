"""Tests of `anyond/git/program`."""
