"""Services: processes that a script leaves running, and their keeper."""
