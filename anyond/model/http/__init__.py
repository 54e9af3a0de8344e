"""Bodies, answers and frames that clients exchange with the daemon, besides rows."""
