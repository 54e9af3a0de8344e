"""The daemon's host: directories, lock, log, service manager, the owner of files."""
