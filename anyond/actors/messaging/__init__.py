"""Messages with one agent: its output is read, its questions are answered, and input is sent."""
