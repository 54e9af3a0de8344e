"""The package of the shim of an earlier version; see README.md."""
