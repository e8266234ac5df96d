"""From what a program holds an image in to pixels, and from maps to images: each kind in one place.

Nothing here knows models, but `tiles`, which runs one over a large image.
"""
