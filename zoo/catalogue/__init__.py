"""What is known about models before they are built: registry, handles, descriptions, licences.

Nothing here builds a model, or imports TensorFlow or Keras at the top: `zoo list` and `zoo info` are instant.
"""
