"""Tests of `anyond/store/board`."""
