"""The catalogue as a web page: static files from the registry and the cards. `zoo site -o site` calls this.

    pages.py        the files and their contents
    plot.py         accuracy against size, as places in a drawing
    folder.py       writes them into a folder, whole, and never touches other files
    templates/      the pages; style.css, catalogue.js and copy.js go with them as they are

Nothing is loaded from elsewhere, and nothing here imports TensorFlow.
"""

import os
from pathlib import Path

from zoo.errors import MissingExtraError
from zoo.site.folder import owned_files, write_files


def write_site(output_dir: str | os.PathLike[str]) -> int:
    """Write the catalogue: a page with every model, and one page per model.

    Args:
        output_dir: Where to. New, empty, or one that this function has written before: then it is updated,
            and files of others in it stay.

    Returns:
        The number of models.

    Raises:
        InputError: `output_dir` is a file, or contains files and no site.
        AccessError: `output_dir` cannot be written.
        MissingExtraError: The extra `layerzoo[site]` is not installed.
    """
    try:
        from zoo.site.pages import site_files
    except ImportError as error:
        raise MissingExtraError(
            f"The catalogue's pages need {error.name}, which is not installed. Expected: pip install 'layerzoo[site]'."
        ) from error
    owned_files(Path(output_dir))  # a folder that is not ours is refused before the work
    files = site_files()
    write_files(Path(output_dir), files)
    return sum(name.startswith("models/") for name in files)
