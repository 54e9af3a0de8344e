"""The command on pipes and on pseudo-terminals, beside a daemon."""
