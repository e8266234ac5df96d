"""Readers of data sets on this machine, in their public layouts. Nothing here downloads, or knows models."""
