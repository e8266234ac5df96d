"""A Space of the Hugging Face Hub that shows one published model: the page of `zoo demo`, for anybody."""

import importlib.metadata
import sys
import tempfile
from pathlib import Path

import zoo
from zoo.catalogue.licensing import HUB_LICENSES
from zoo.catalogue.source import Source
from zoo.errors import MissingExtraError, PublishError
from zoo.hub.uploading import Upload

APP = 'from zoo.demo import serve\n\nserve("{handle}")\n'
TAG = "layerzoo"  # by which a Space of ours is known again


class SpaceUpload(Upload):
    """A Space, seen by whoever publishes to it.

    Args:
        repo_id: "owner/name".
        token: As for `Upload`.

    Raises:
        MissingExtraError: The extra `layerzoo[demo]` is not installed: the Space gets the Gradio that is here.
        As `Upload`.
    """

    kind = "space"
    identity_files = ("README.md", "app.py", "requirements.txt")

    def __init__(self, repo_id: str, token: str | None):
        super().__init__(repo_id, token)
        try:
            self.gradio = importlib.metadata.version("gradio")
        except importlib.metadata.PackageNotFoundError as error:
            raise MissingExtraError(
                "A Space needs gradio, which is not installed. Expected: pip install 'layerzoo[demo]'."
            ) from error

    @property
    def page(self) -> str:
        return f"{self.endpoint}/spaces/{self.repo_id}"

    def check(self, *, private: bool, must_exist: bool = False, version: str | None = None) -> bool:
        """Whether the Space is there; refuse one that shows something else."""
        if not super().check(private=private, must_exist=must_exist, version=version):
            return False
        info = self._with_retries(lambda: self.api.space_info(self.repo_id))
        holds_app = any(file.rfilename == "app.py" for file in info.siblings)
        if holds_app and TAG not in ((info.card_data and info.card_data.tags) or []):
            raise PublishError(
                f"The Space '{self.repo_id}' has an app that this library did not write. Expected a new name, or a "
                "Space of an earlier model."
            )
        return True

    def create(self, *, private: bool) -> None:
        """Create the Space, unless it exists."""
        self._with_retries(
            lambda: self.api.create_repo(
                self.repo_id, repo_type=self.kind, space_sdk="gradio", private=private, exist_ok=True
            )
        )

    def show(self, repo_id: str, version: str, license: str, *, exists: bool, private: bool) -> str:
        """Upload a page for a version of a model, in one commit; returns its address. Raises as `commit`."""
        with tempfile.TemporaryDirectory(prefix="zoo-publish-") as temporary:
            folder = Path(temporary)
            write_space(folder, self.repo_id, repo_id, version, license, self.gradio)
            if not exists:
                self.create(private=private)
            self.commit(folder, f"Show {repo_id} {version} with layerzoo {zoo.__version__}")
        return self.page


def write_space(folder: Path, space: str, repo_id: str, version: str, license: str, gradio: str) -> None:
    """Write the files of a Space into an empty folder: its card, the page, and what both need.

    Args:
        folder: Where to.
        space: The Space, "owner/name".
        repo_id: The model, "owner/name".
        version: Its tag.
        license: Its licence, which is the Space's too.
        gradio: The version of Gradio that runs it.
    """
    from huggingface_hub import SpaceCardData

    data = SpaceCardData(
        title=space.partition("/")[2],
        sdk="gradio",
        sdk_version=gradio,
        python_version=f"{sys.version_info.major}.{sys.version_info.minor}",
        app_file="app.py",
        license=license if license in HUB_LICENSES else "other",
        models=[repo_id],
        tags=[TAG],
    )
    handle = f"{Source.of(repo_id)}@{version}"
    text = f"Version {version} of [{repo_id}]({Source.of(repo_id).page}). On your machine: `zoo demo {handle}`."
    (folder / "README.md").write_text(f"---\n{data.to_yaml()}\n---\n\n{text}\n", encoding="utf-8")
    (folder / "app.py").write_text(APP.format(handle=handle), encoding="utf-8")
    (folder / "requirements.txt").write_text(f"layerzoo[demo]=={zoo.__version__}\n", encoding="utf-8")
