"""From what a program holds an image in to pixels: files opened in one place, levels scaled in one place."""
