"""The database itself: its file, its one writer, its readers, its journal of changes."""
