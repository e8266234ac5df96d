"""layerzoo: pretrained convolutional networks for Keras 3 in one call."""

__version__ = "0.1.0"
