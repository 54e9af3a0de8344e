"""Programs, shims and their sockets, and a launcher that starts nothing."""
