"""Attempts from a client's side: what is asked, pressed, drafted and run."""
