"""From a file of weights into a model, each tensor once, and what of it is still untrained. Builds no networks."""
