"""The command line: the same jobs without a window.

A first word that is no command is a file to open in the window. Heavy packages are imported by the command that needs
them, so ``--help`` answers at once.
"""

# In the order in which the help lists the commands.
from lieapp.cli import align, landscape, cryoem, demo, about  # noqa: I001
from lieapp.cli.app import app
from lieapp.cli.entry import main

__all__ = ["about", "align", "app", "cryoem", "demo", "landscape", "main"]
