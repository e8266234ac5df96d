"""`tensorflow_hub.load("hf://owner/repo@v2")`: importing this module lets TF Hub read our handles.

    import tensorflow_hub
    import zoo.export.tf_hub

    model = tensorflow_hub.load("hf://owner/repo@v2")
    layer = tensorflow_hub.KerasLayer("hf://owner/repo@v2", trainable=True)  # in tf_keras

It works for any repository that contains `saved_model/`. Files come through `zoo.hub`: all at one commit, each
compared with what its publisher declared.
"""

import tensorflow_hub.registry
from tensorflow_hub.resolver import Resolver

from zoo.catalogue.handles import parse
from zoo.catalogue.source import Source
from zoo.errors import UnknownModelError
from zoo.hub.hubs import HubFile, scheme_of

FOLDER = "saved_model"
_FIRST, _LAST = f"{FOLDER}/saved_model.pb", f"{FOLDER}/variables/variables.index"


class HubResolver(Resolver):
    """Turns `hf://owner/repo[@revision]` into a folder on this disk."""

    def is_supported(self, handle: str) -> bool:
        """Whether it is one of our handles."""
        return isinstance(handle, str) and scheme_of(handle) != ""

    def __call__(self, handle: str) -> str:
        """Download the SavedModel.

        Raises:
            UnknownModelError: No such repository or revision, or it contains no `saved_model/`.
            OfflineError, AccessError, IntegrityError: As `zoo.load`.
        """
        parsed = parse(handle)
        source = Source(parsed.name)
        try:
            first = source.fetch(_FIRST, revision=parsed.revision)
        except UnknownModelError as error:
            raise UnknownModelError(
                f"{handle} contains no {_FIRST} ({error}) Expected a repository that was published with --saved-model."
            ) from error
        for filename in _filenames(source, first):
            source.fetch(filename, revision=first.revision)
        return str(first.path.parent)


def _filenames(source: Source, first: HubFile) -> list[str]:
    """The other files of the SavedModel, the index last: where it is on this disk, all of them do."""
    folder = first.path.parent
    if (folder.parent / _LAST).is_file():
        names = [path.relative_to(folder.parent).as_posix() for path in folder.rglob("*") if path.is_file()]
    else:
        names = source.filenames(revision=first.revision)
    others = [name for name in names if name.startswith(f"{FOLDER}/") and name != first.filename]
    return sorted(others, key=lambda name: (name == _LAST, name))


tensorflow_hub.registry.resolver.add_implementation(HubResolver())
