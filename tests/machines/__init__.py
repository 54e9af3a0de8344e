"""Tests of `anyond/machines`."""
