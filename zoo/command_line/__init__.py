"""The command `zoo`, one file per group of commands. What they do is elsewhere; here arguments are read and results
printed."""
