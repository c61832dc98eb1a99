"""Widgets that know nothing of runs: forms made from settings, icons, the theme, labels."""
