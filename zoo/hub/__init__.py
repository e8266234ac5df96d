"""The Hugging Face Hub: files come down verified and go up in one commit. Nothing here knows Keras or a network."""
