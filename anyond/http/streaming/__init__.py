"""Streaming changes to clients while they happen, by WebSockets and Server-Sent Events."""
