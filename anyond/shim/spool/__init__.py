"""The files that a shim leaves: the log, and the output that goes into it."""
