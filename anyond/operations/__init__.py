"""What can be done to projects and attempts: linear async functions, one subject a file."""
