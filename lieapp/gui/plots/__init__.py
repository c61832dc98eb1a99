"""Plots of numbers: cards, curves, legends, crosshairs, axes."""
