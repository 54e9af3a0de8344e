"""The daemon as a whole: what starts in which order, and stops in reverse. Read it in this order.

- `listening`: the lock and the listeners, which load little, so that clients can wait.
- `run`: the process from there to its exit code.
- `resources`: the store, the launcher of shims, the files of settings.
- `services`: recovery of what was at work, the watchers, and what clients may ask.
- `serving`: the HTTP front on its listeners, `daemon.json`, and the sentences on the terminal.
- `signals`: what ends it.

It stops in reverse: first the streams end, then the front closes, then the actors let go of their
processes, which live on, and last the store is closed. Clients in vibe-kanban's form are parted
from after that.
"""
