"""Tests of `anyond/actors`."""
