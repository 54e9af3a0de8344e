"""Lines of JSON, and JSON-RPC over them, as several agents speak it."""
