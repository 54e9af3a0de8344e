"""Tests of `anyond/http/vk`."""
