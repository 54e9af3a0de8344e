"""How a program is kept: started under a shim, recorded in a spool, found again, and ended."""
