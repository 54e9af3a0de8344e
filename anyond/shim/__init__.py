"""What outlives the daemon: the program that holds the pipes of an agent. See README.md."""
