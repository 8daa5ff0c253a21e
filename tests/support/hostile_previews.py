"""Small files that ask a decoder of previews for much memory or time, or for more than they have."""

import io
import struct
import zlib
from collections.abc import Callable, Iterator

import pillow_heif
from PIL import Image

from tests.support.hostile_files import endless_pdf

JPEG, PNG, GIF, WEBP, AVIF, HEIC, PDF = (
    "image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "image/heic", "application/pdf"
)  # fmt: skip
_NULLS = b"\0" * (1 << 20)


def hostile_previews() -> Iterator[tuple[str, str, Callable[[], bytes]]]:
    """Yields a name, the type of content, and what makes the file. The names of a type are unique."""
    for side, depth, colour in ((60_000, 8, 2), (7_700, 16, 6), (7_700, 1, 0), (2**31 - 1, 8, 0)):
        yield f"png-{side}-{depth}", PNG, lambda s=side, d=depth, c=colour: _png(s, s, d, c)
    yield "png-interlaced", PNG, lambda: _png(7_700, 7_700, 16, 6, interlaced=1)
    yield "png-text", PNG, lambda: _png(9, 9, 8, 2, (b"zTXt", b"a\0\0" + _bomb(200)))
    yield "png-many-texts", PNG, lambda: _png(9, 9, 8, 2, *[(b"zTXt", b"a\0\0" + _bomb(1))] * 500)
    yield "png-profile", PNG, lambda: _png(9, 9, 8, 2, (b"iCCP", b"a\0\0" + _bomb(200)))
    yield "png-cut", PNG, lambda: _png(7_000, 7_000, 8, 2)[:-500]
    yield "png-long-chunk", PNG, lambda: _png(9, 9, 8, 2)[:33] + b"\x7f\xff\xff\xffIDAT"
    yield "png-frames", PNG, lambda: _frames("PNG", 300)
    yield "jpeg-65500", JPEG, lambda: _resized_jpeg(65_500, 65_500)
    yield "jpeg-7700", JPEG, lambda: _resized_jpeg(7_700, 7_700)
    yield "jpeg-scans", JPEG, lambda: _many_scans(_picture("JPEG", (1_500, 1_500), progressive=True), 500)
    yield "jpeg-many-scans", JPEG, lambda: _many_scans(_picture("JPEG", (7_000, 7_000), progressive=True), 2_000)
    yield "jpeg-turned", JPEG, lambda: _turned((7_700, 7_700))
    yield "jpeg-markers", JPEG, lambda: b"\xff\xd8" + b"\xff\xe1\xff\xff" * 300_000
    yield "gif-65535", GIF, lambda: _resized_gif(65_535, 65_535)
    yield "gif-7700", GIF, lambda: _resized_gif(7_700, 7_700)
    yield "gif-frames", GIF, lambda: _frames("GIF", 2_000)
    yield "gif-cut", GIF, lambda: _picture("GIF", (5_000, 5_000))[:-20]
    yield "webp-16383", WEBP, lambda: _picture("WEBP", (16_383, 3_600), lossless=True, method=0, quality=0)
    yield "webp-frames", WEBP, lambda: _frames("WEBP", 300)
    yield "webp-cut", WEBP, lambda: _picture("WEBP", (4_000, 4_000))[:-20]
    yield "avif-wide", AVIF, lambda: _larger(_picture("AVIF", (64, 64), speed=10))
    yield "avif-cut", AVIF, lambda: _picture("AVIF", (2_000, 2_000), speed=10)[:-50]
    yield "heic-wide", HEIC, lambda: _larger(_picture("HEIF", (64, 64)))
    yield "heic-cut", HEIC, lambda: _picture("HEIF", (500, 500))[:-50]
    yield "pdf-endless", PDF, endless_pdf
    yield "pdf-large-page", PDF, lambda: _pdf(box="0 0 1e30 1e30")
    yield "pdf-thin-page", PDF, lambda: _pdf(box="0 0 0.0001 100000")
    yield "pdf-own-page", PDF, lambda: _pdf(kids="2 0 R 3 0 R")
    yield "pdf-own-form", PDF, lambda: _pdf(b"/F Do " * 1_000, form=b"/F Do " * 1_000)
    yield "pdf-image", PDF, lambda: _pdf(b"300 0 0 600 0 0 cm /F Do", image=(30_000, 30_000))
    yield "pdf-image-drawn-often", PDF, lambda: _pdf(b"300 0 0 600 0 0 cm " + b"/F Do " * 2_000, image=(5_000, 5_000))
    yield "pdf-content", PDF, lambda: _pdf(b"0 0 m 300 600 l S " * 400_000)
    yield "pdf-dashes", PDF, lambda: _pdf(b"[0.00001] 0 d " + b"0 0 m 300 600 l S " * 1_000)
    yield "pdf-states", PDF, lambda: _pdf(b"q " * 2_000_000)
    yield "pdf-arrays", PDF, lambda: _pdf(b"[" * 2_000_000)
    yield "pdf-objects", PDF, lambda: b"%PDF-1.4\n" + b"1 0 obj <</A 1 0 R>> endobj\n" * 200_000
    yield (
        "pdf-xref",
        PDF,
        lambda: _pdf() + b"xref\n0 1\n0000000000 65535 f \ntrailer <</Prev 9 /Root 1 0 R>>\nstartxref\n9\n",
    )
    yield "pdf-nested", PDF, lambda: b"%PDF-1.4\n1 0 obj " + b"<</A" * 500_000


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _bomb(megabytes: int) -> bytes:
    pack = zlib.compressobj(9)
    return b"".join(pack.compress(_NULLS) for _ in range(megabytes)) + pack.flush()


def _png(width: int, height: int, depth: int, colour: int, *chunks: tuple[bytes, bytes], interlaced: int = 0) -> bytes:
    size = width * height * depth * {0: 1, 2: 3, 6: 4}[colour] // 8 + height
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", _bomb(min(size // 2**20 + 1, 600))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts)


def _picture(format_: str, size: tuple[int, int], **options: object) -> bytes:
    pillow_heif.register_heif_opener()
    made = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(made, format_, **options)
    return made.getvalue()


def _frames(format_: str, count: int) -> bytes:
    made, images = (
        io.BytesIO(),
        [Image.new("RGB", (64, 64), (number % 256, number // 256, 0)) for number in range(count)],
    )
    images[0].save(made, format_, save_all=True, append_images=images[1:])
    return made.getvalue()


def _resized_jpeg(width: int, height: int) -> bytes:
    content = bytearray(_picture("JPEG", (16, 16)))
    place = content.index(b"\xff\xc0")
    content[place + 5 : place + 9] = struct.pack(">HH", height, width)
    return bytes(content)


def _turned(size: tuple[int, int]) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return _picture("JPEG", size, exif=exif.tobytes())


def _many_scans(content: bytes, count: int) -> bytes:
    last = content.rindex(b"\xff\xda")
    return content[:last] + content[last:-2] * count + content[-2:]


def _resized_gif(width: int, height: int) -> bytes:
    content = bytearray(_picture("GIF", (16, 16)))
    size = struct.pack("<HH", width, height)
    content[6:10] = size
    place = content.rindex(b"\x2c")
    content[place + 5 : place + 9] = size
    return bytes(content)


def _larger(content: bytes) -> bytes:
    """Returns a picture of 64 by 64 pixels whose container says that it has 7,000 by 7,000."""
    return content.replace(struct.pack(">II", 64, 64), struct.pack(">II", 7_000, 7_000))


def _pdf(
    content: bytes = b"",
    *,
    box: str = "0 0 300 600",
    kids: str = "3 0 R",
    form: bytes | None = None,
    image: tuple[int, int] | None = None,
) -> bytes:
    page = f"<</Type/Page/Parent 2 0 R/MediaBox[{box}]/Contents 4 0 R/Resources<</XObject<</F 5 0 R>>>>>>"
    drawn, entries = form or b"", "/Type/XObject/Subtype/Form/BBox[0 0 300 600]/Resources<</XObject<</F 5 0 R>>>>"
    if image is not None:
        drawn = _bomb(image[0] * image[1] * 3 // 2**20 + 1)
        entries = (
            f"/Type/XObject/Subtype/Image/Width {image[0]}/Height {image[1]}"
            "/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter/FlateDecode"
        )
    packed = zlib.compress(content)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count 2>>".encode(),
        page.encode(),
        b"<</Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (len(packed), packed),
        b"<<%s/Length %d>>stream\n%s\nendstream" % (entries.encode(), len(drawn), drawn),
    ]
    body = b"".join(b"%d 0 obj %s endobj\n" % (number, each) for number, each in enumerate(objects, 1))
    return b"%PDF-1.4\n" + body + b"trailer <</Root 1 0 R>>\n"
