"""The workbench for cryo-EM."""
