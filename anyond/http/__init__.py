"""The front door: decodes what clients ask, asks the daemon, and encodes what it answers."""
