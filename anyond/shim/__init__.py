"""The program that outlives the daemon and holds the pipes of an agent. See README.md."""
