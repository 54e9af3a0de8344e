"""Tests of `anyond/procs/spools`."""
