"""The frame of all commands: options that all have, exit codes, errors, and finding the daemon."""
