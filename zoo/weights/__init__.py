"""From a file of weights into a model, each tensor once, and what of it is still untrained. Builds no networks."""

from zoo.weights.formats import read_timm

__all__ = ["read_timm"]  # which tensor of timm's a variable is, for who writes such a file
