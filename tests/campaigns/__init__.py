"""The campaigns: their routes, dice and ledgers."""
