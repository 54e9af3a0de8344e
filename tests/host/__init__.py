"""Tests of `anyond/host`."""
