"""One table of declarations for each chapter of the API, and the order in which they are told."""
