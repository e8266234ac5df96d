"""`python -m zoo` is the command line."""

from zoo.command_line import main

main()
