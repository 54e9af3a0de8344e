"""Tests of `anyond/cli`."""
