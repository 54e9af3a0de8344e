"""`python -m anyond` is the command `anyon`."""

from anyond.cli import main

if __name__ == "__main__":
    main()
