"""Tests of `anyond/http/openapi`."""
