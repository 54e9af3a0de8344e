"""What an endpoint is declared with."""
