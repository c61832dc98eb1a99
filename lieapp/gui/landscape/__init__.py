"""The workbench for landscapes."""
