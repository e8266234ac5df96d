"""The Hugging Face Hub: verified downloads, and uploads in one commit. Nothing here knows Keras or a model."""
