"""Tests of `anyond/watchers`."""
