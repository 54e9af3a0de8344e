"""Git and GitHub from a client's side."""
