"""Promises of Anyon about speed, measured on this machine; `make bench`."""
