"""`tensorflow_hub.load("hf://owner/repo@v2")`: importing this module teaches TF Hub our handles.

    import tensorflow_hub
    import zoo.export.tf_hub

    model = tensorflow_hub.load("hf://owner/repo@v2")
    layer = tensorflow_hub.KerasLayer("hf://owner/repo@v2", trainable=True)  # in tf_keras

It works for any repository that holds `saved_model/`. Files come through `zoo.hub.fetching`: all at one commit, each
compared with what its publisher declared.
"""

import tensorflow_hub.registry
from tensorflow_hub.resolver import Resolver

from zoo.catalogue.handles import SCHEME
from zoo.errors import OfflineError, UnknownModelError
from zoo.hub import fetching

FOLDER = "saved_model"
_FIRST, _LAST = f"{FOLDER}/saved_model.pb", f"{FOLDER}/variables/variables.index"


class HubResolver(Resolver):
    """Turns `hf://owner/repo[@revision]` into a folder on this disk."""

    def is_supported(self, handle: str) -> bool:
        """Whether it is one of our handles."""
        return isinstance(handle, str) and handle.startswith(SCHEME)

    def __call__(self, handle: str) -> str:
        """Bring the SavedModel here.

        Raises:
            UnknownModelError: No such repository or revision, or it holds no `saved_model/`.
            OfflineError, AccessError, IntegrityError: As `zoo.load`.
        """
        repo_id, _, revision = handle.removeprefix(SCHEME).partition("@")
        try:
            first = fetching.fetch(repo_id, _FIRST, revision=revision or None)
        except UnknownModelError as error:
            raise UnknownModelError(
                f"{handle} holds no {_FIRST} ({error}) Expected a repository that was published with --saved-model."
            ) from error
        for filename in _filenames(repo_id, first):
            fetching.fetch(repo_id, filename, revision=first.revision)
        return str(first.path.parent)


def _filenames(repo_id: str, first: fetching.HubFile) -> list[str]:
    """The other files of the SavedModel, the index last: where it lies on this disk, all of them do."""
    from huggingface_hub import HfApi
    from huggingface_hub.utils import httpx

    folder = first.path.parent
    if (folder.parent / _LAST).is_file():
        names = [path.relative_to(folder.parent).as_posix() for path in folder.rglob("*") if path.is_file()]
    else:
        try:
            names = HfApi().list_repo_files(repo_id, revision=first.revision)
        except (OSError, httpx.TransportError) as error:
            raise OfflineError(
                f"The files of hf://{repo_id} cannot be listed ({error}), and they are not all cached. "
                "Load it once with a network."
            ) from error
    others = [name for name in names if name.startswith(f"{FOLDER}/") and name != first.filename]
    return sorted(others, key=lambda name: (name == _LAST, name))


tensorflow_hub.registry.resolver.add_implementation(HubResolver())
