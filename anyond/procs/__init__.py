"""Processes: started under a shim, recorded in a spool, found again, and ended."""
