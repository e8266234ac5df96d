"""`python -m zoo` is the command line."""

from zoo.command_line.main import main

main()
