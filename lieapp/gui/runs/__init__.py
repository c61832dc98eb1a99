"""Runs as the window knows them: entries, sessions, controllers and replay. No widgets."""
