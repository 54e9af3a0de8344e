"""How the daemon meets its host: directories, lock, log, service manager, the owner of files."""
