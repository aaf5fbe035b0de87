"""`python -m bot` is `tongdao`."""

from bot.cli import main

main()
