"""Tests of `anyond/procs/shims`."""
