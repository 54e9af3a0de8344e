"""How the git program is run: environment, settings, what it may run itself, what failure means."""
