"""The API from a client's side: its description, its reference, its streams, odd requests."""
