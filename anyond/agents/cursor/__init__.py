"""The Cursor agent."""
