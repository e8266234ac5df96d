"""The command `zoo`, one file per group of commands: arguments are read and results printed.

Nothing here does the work itself, or imports Keras before the arguments are checked.
"""
