"""The HTTP API: decodes requests, calls a service, and encodes what it answers."""
