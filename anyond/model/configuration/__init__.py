"""What a person can set, and what the environment says."""
