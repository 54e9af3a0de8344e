"""Git's traces on the disk: its small files, its locks, its processes, and files set aside."""
