"""`python -m textwave.cli`: how the supervisor starts its children."""

from textwave.cli.main import main

main()
