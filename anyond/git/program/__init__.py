"""The git program: environment, settings, the programs it may run itself, and failures."""
