"""The directory of an attempt: what is put into it, what git may run in it, and how it goes."""
