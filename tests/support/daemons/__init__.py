"""How daemons of tests are started, measured, and given scripted agents."""
