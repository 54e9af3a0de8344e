"""What the updates of a session add to the structured conversation."""
