"""The only folder that knows how records are kept on disk; it does not know who listens."""
