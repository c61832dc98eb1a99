"""What the workbenches share: run bar, list of runs, settings, races, exports."""
