"""What belongs to the whole program: actions, errors, preferences, keys."""
