"""Pure decisions: `handle(event) -> list[command]`, without clock, ids or I/O."""
