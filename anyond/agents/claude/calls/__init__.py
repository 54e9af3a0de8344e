"""Uses of tools by Claude Code: their entries, with diffs and to-do lists."""
