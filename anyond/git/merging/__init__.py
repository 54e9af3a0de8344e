"""How two histories become one: merges and rebases, whole or not at all."""
