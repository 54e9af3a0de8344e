"""What clients send and get beside rows: bodies, answers, and what streams carry."""
