"""Services for clients, one class for each noun; each method is one request."""
