"""A larger image from a small one."""

from typing import Any, ClassVar

from PIL import Image

from zoo.tasks.images import Images
from zoo.tasks.task import written


class SuperResolution(Images):
    """`width` and `height` of the enlarged image, which is `record.image`."""

    pipeline_tag = "image-to-image"
    tile = 1024
    show = 'record.image.save("photo-large.png")'
    columns: ClassVar = {"width": int, "height": int, "image": bytes}

    def postprocess(self, record, entry, prepared, output, top) -> None:
        record.image = Image.fromarray(self.pixels(output))
        record["width"], record["height"] = record.image.size

    def lines(self, record: dict[str, Any]) -> list[str]:
        return [f"{record['width']} x {record['height']} pixels{written(record)}"]

    def gives(self, entry) -> str:
        scale = entry.config["scale"]
        return (
            f"RGB, 0 to 255, float32 `(batch, {scale} height, {scale} width, 3)`, not clipped: it overshoots a "
            "little at edges. `zoo.predict` rounds and clips."
        )


TASK = SuperResolution()
