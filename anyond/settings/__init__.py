"""Where Anyon keeps its own files, what a person has set, and how the daemon meets its host."""
