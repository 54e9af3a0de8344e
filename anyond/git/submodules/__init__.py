"""The repositories inside of a checkout."""
