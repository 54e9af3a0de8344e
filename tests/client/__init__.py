"""Tests of `anyond/client`."""
