"""Scores of masks: one family of metrics a file, each convention by its name."""
