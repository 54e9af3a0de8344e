"""What is installed, locked and shipped."""
