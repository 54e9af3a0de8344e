"""Tests of `anyond/editing`."""
