"""The times that both clients wait for a daemon, in seconds."""

from __future__ import annotations

TIMEOUT_S = 300.0
"""How long an answer may take: a merge waits for hooks, and a new attempt for its setup."""
FIRST_WAIT_S, LONGEST_WAIT_S = 0.2, 5.0
"""How long a connection that broke is left alone; doubled each time."""
QUIET_S = 45.0
"""The daemon shows every 15 s that a stream lives; one without a sign for so long is dead."""
