"""Tests of `anyond/procs`."""
