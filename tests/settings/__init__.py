"""Tests of `anyond/settings`."""
