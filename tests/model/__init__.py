"""Tests of `anyond/model`."""
