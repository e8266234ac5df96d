"""Readers of data sets that lie on this machine, in their public layouts. Nothing is downloaded."""
