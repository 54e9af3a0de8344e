"""What can be chosen in a session, and what each agent does in its own way."""
