"""Small programs of the documentation, where the system has none."""
