"""Tests of `anyond/services`."""
