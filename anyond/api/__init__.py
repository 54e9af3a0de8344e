"""What clients can ask, declared once: `chapters` has every endpoint, one module a chapter."""
