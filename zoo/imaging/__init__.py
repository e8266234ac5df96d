"""From every form that an image has in a program to pixels, and from maps to images: each kind in one place.

Nothing here knows models, but `tiles`, which runs one over a large image.
"""
