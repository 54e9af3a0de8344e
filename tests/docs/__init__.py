"""The documentation, followed and checked."""
