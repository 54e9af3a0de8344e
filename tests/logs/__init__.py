"""Tests of `anyond/logs`."""
