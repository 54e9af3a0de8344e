"""A daemon's life: starts, ends, crashes, damage, and what it owes its machine."""
