"""The database itself: its file, its one writer, its readers, its change log."""
