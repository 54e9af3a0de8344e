"""The structured conversation, built from the updates of a session."""
