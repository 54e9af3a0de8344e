"""What clients may ask, one class for each noun; each method is one request."""
