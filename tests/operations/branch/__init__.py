"""Tests of `anyond/operations/branch`."""
