"""How what happens reaches clients while it happens, by WebSockets and Server-Sent Events."""
