"""Tests of `anyond/http`."""
