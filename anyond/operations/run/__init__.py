"""How runs begin, follow each other, and end."""
