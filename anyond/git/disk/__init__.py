"""What git leaves on the disk: its small files, its locks, its processes, and what is put aside."""
