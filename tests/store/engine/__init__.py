"""Tests of `anyond/store/engine`."""
