"""A module for each row of the table, or for a few that belong together."""
