"""The port of vibe-kanban from its client's side."""
