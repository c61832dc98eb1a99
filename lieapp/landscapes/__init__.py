"""Reserved floor: comes with its own workbench."""
