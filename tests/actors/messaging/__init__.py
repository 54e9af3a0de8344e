"""Tests of `anyond/actors/messaging`."""
