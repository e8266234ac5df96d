"""What is known about models before they are built: registry, handles, descriptions, licences.

Nothing here imports TensorFlow or Keras at the top: `zoo list` and `zoo info` are instant.
"""
