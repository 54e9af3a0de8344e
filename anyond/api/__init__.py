"""The requests of clients, declared once: `chapters` has every endpoint, one module a chapter."""
