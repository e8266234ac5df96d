"""How each embedded checkpoint was trained: one script per model or task, its data, and the image of its card.

Nothing here is part of the package, and nothing in `zoo` imports it.
"""
