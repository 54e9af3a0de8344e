"""One execution: started or attached to, followed to its end, and retried after a crash."""
