"""The spool of an execution, as the daemon reads it."""
