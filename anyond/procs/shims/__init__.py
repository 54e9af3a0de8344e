"""The daemon's half of a shim: start, attach, and finalize for one that died."""
