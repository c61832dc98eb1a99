"""What belongs to the whole program: actions, messages, preferences, keys."""
