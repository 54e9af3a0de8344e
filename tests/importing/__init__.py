"""Tests of `anyond/importing`."""
