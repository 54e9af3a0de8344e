"""Tests of `anyond/http/streaming`."""
