"""An application without a daemon behind it, and what is sent to one."""
