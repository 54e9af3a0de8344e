"""The daemon as a service of the person's login: a systemd user unit, or a launchd agent."""
