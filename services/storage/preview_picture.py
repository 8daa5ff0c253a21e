"""Makes a small picture of the first page or frame of a file.

Runs in a worker process, because any user may have sent the file. The pool of workers limits the memory, not this
module: a limit would apply to the whole process that calls it.
"""

import io

import pillow_heif
import pypdfium2
from PIL import Image, ImageOps

from services.storage.preview_types import PDF, PICTURES

# A picture of more pixels is not decoded: 60 million take 240 MB.
MAX_PIXELS = 60_000_000
# A preview is at most this many times as high as it is wide.
_MAX_HEIGHT = 4

# Every decoder is there before any limit of memory is: Pillow does without one that it cannot import.
Image.init()


class NoPreview(Exception):
    """There is no picture of these bytes."""


def make_preview(content: bytes, content_type: str, width: int) -> bytes:
    """Returns the picture as WebP, at most `width` pixels wide, without the metadata of the original.

    Raises NoPreview, or whatever a decoder raises for bytes that it does not understand.
    """
    image = _first_page(content, width) if content_type == PDF else _first_frame(content, content_type, width)
    image.thumbnail((width, width * _MAX_HEIGHT))
    made = io.BytesIO()
    image.convert("RGBA" if "A" in image.getbands() or "transparency" in image.info else "RGB").save(
        made, "WEBP", quality=80
    )
    return made.getvalue()


def _first_frame(content: bytes, content_type: str, width: int) -> Image.Image:
    Image.MAX_IMAGE_PIXELS = None
    pillow_heif.register_heif_opener(thumbnails=False)
    image = Image.open(io.BytesIO(content), formats=[PICTURES[content_type]])
    if image.width * image.height > MAX_PIXELS:
        raise NoPreview(f"more than {MAX_PIXELS:,} pixels")
    # Decodes a JPEG at a fraction of its size.
    image.draft("RGB", (width * 2, width * 2 * _MAX_HEIGHT))
    turned = ImageOps.exif_transpose(image)
    return turned if turned is not None else image


def _first_page(content: bytes, width: int) -> Image.Image:
    document = pypdfium2.PdfDocument(content)
    try:
        page = document[0]
        page_width, page_height = page.get_size()
        if page_width <= 0 or page_height <= 0:
            raise NoPreview("an empty page")
        scale = min(width / page_width, width * _MAX_HEIGHT / page_height)
        picture: Image.Image = page.render(scale=scale).to_pil().convert("RGB")
        return picture
    finally:
        document.close()
