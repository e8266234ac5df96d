"""The Hugging Face Hub: files are downloaded verified and uploaded in one commit. Nothing here knows Keras or a network."""
