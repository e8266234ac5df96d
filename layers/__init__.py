"""Keras layers, one concept a file."""
