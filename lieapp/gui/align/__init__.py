"""The workbench for alignments."""
