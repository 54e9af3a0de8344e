"""How work becomes commits, and how none of them is lost."""
