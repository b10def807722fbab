"""`python -m wallaroo_ext.cli`, where the command is not on PATH."""

from wallaroo_ext.cli import main

main()
