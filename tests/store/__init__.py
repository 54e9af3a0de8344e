"""Tests of `anyond/store`."""
