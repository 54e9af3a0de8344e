"""Tests of `anyond/git/submodules`."""
