"""Work beside the window: the worker thread, what is computed late, and whose turn it is to be drawn."""
