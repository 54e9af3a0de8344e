"""Examples of what endpoints read and answer; loaded only by who describes or tests the API."""
