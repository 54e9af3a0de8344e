"""What shows a newcomer the whole job: a built-in agent, and a tour with it."""
