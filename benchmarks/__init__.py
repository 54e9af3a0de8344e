"""What Anyon promises about speed, and whether this machine sees it kept; `make bench`."""
