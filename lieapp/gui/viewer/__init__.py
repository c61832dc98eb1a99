"""The 3-D view, and densities in it."""
