"""Tests of `anyond/shim`."""
