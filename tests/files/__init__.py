"""Tests of `anyond/files`."""
