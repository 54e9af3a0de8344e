"""Following an attempt on a terminal or a pipe: its conversation, its questions, its end."""
