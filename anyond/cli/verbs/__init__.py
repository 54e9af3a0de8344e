"""Commands that talk to the daemon: one module a group of verbs."""
