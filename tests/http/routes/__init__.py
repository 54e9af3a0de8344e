"""Tests of `anyond/http/wire`."""
