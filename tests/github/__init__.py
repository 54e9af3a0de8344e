"""Tests of `anyond/github`."""
