"""Kills of daemons, shims, agents and git, aimed at what they are at, with ledgers beside them."""
