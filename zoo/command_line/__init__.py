"""The command `zoo`, a file per group of commands. What they do stands elsewhere; here it is asked for and printed."""
