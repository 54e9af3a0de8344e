"""A daemon as its clients see it: a process, its sockets, its directories."""
