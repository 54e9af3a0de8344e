"""Tests of what `make bench` counts with."""
