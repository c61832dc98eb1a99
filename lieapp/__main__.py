"""``python -m lieapp`` is the command ``lieapp``."""

import sys

from lieapp.cli import main

if __name__ == "__main__":
    sys.exit(main())
