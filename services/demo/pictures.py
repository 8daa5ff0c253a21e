"""Pictures drawn from nothing: PNG portraits and scenes, and a JPEG made block by block. The same bytes every time."""

import struct
import zlib
from collections.abc import Callable

Colour = tuple[int, int, int]

SKINS: tuple[Colour, ...] = ((255, 219, 190), (234, 186, 146), (198, 144, 104), (146, 98, 66), (96, 62, 44))
SHIRTS: tuple[Colour, ...] = ((38, 92, 128), (166, 60, 48), (58, 112, 72), (88, 70, 120), (196, 138, 40), (60, 66, 74))
HAIR: tuple[Colour, ...] = ((40, 30, 26), (92, 60, 34), (196, 160, 96), (120, 120, 124), (150, 70, 40))


def portrait(number: int, size: int = 160) -> bytes:
    """A PNG of a drawn head and shoulders, `size` pixels square; each number has a look of its own."""
    skin, shirt, hair = SKINS[number % 5], SHIRTS[number // 2 % 6], HAIR[number // 3 % 5]
    wall = (212 + number * 7 % 30, 220 + number * 5 % 24, 226 + number * 11 % 24)

    def colour(x: float, y: float) -> Colour:
        if (x - 0.5) ** 2 / 0.032 + (y - 0.44) ** 2 / 0.046 < 1:
            fringe = 0.31 + 0.05 * abs(x - 0.5)
            return hair if y < fringe else skin
        if (x - 0.5) ** 2 / 0.045 + (y - 0.40) ** 2 / 0.060 < 1 and y < 0.50:
            return hair
        if abs(x - 0.5) < 0.07 and 0.58 < y < 0.72:
            return skin
        if (x - 0.5) ** 2 / 0.13 + (y - 1.0) ** 2 / 0.10 < 1:
            return shirt
        return wall

    return _png(size, size, colour)


def workstation(width: int = 320, height: int = 200) -> bytes:
    """A PNG of a drawn cycle in a workshop: two spoked wheels and a frame above a bench."""
    hubs = ((0.27, 0.62), (0.73, 0.62))
    tubes = (((0.27, 0.62), (0.45, 0.62)), ((0.45, 0.62), (0.38, 0.34)), ((0.27, 0.62), (0.39, 0.38)),
             ((0.45, 0.62), (0.67, 0.36)), ((0.39, 0.38), (0.67, 0.36)), ((0.66, 0.30), (0.73, 0.62)))  # fmt: skip
    ratio = height / width

    def colour(x: float, y: float) -> Colour:
        for hub_x, hub_y in hubs:
            reach = ((x - hub_x) ** 2 + ((y - hub_y) * ratio) ** 2) ** 0.5
            if 0.120 < reach < 0.138:
                return 30, 30, 34
            if reach < 0.014 or (reach < 0.12 and int((x - hub_x) * 90) * int((y - hub_y) * 60) % 7 == 6):
                return 120, 124, 130
        if any(_near(x, y * ratio, start, end, ratio) < 0.011 for start, end in tubes):
            return 176, 52, 44
        if y > 0.86:
            return 150, 112, 74
        return (226, 229, 230) if int(x * 16) % 2 else (218, 222, 224)

    return _png(width, height, colour)


def _near(x: float, y: float, start: tuple[float, float], end: tuple[float, float], ratio: float) -> float:
    """How far a point lies from a stretch; heights are given as shares of the picture's height."""
    (x1, y1), (x2, y2) = (start[0], start[1] * ratio), (end[0], end[1] * ratio)
    along = ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / ((x2 - x1) ** 2 + (y2 - y1) ** 2)
    along = min(max(along, 0), 1)
    return ((x - x1 - along * (x2 - x1)) ** 2 + (y - y1 - along * (y2 - y1)) ** 2) ** 0.5


def _png(width: int, height: int, colour: Callable[[float, float], Colour]) -> bytes:
    lines = b"".join(
        b"\0" + b"".join(bytes(colour(x / width, y / height)) for x in range(width)) for y in range(height)
    )

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines, 9)) + chunk(b"IEND", b"")


# The codes of the brightness steps in a baseline JPEG (ITU T.81, table K.3): how many codes there are of each length
# from 1 to 16 bits, and the steps they stand for. Of the codes for detail only "end of block" is needed: one bit, 0.
_STEP_LENGTHS = bytes([0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0])
_STEPS = bytes(range(12))
_END_LENGTHS = bytes([1] + [0] * 15)


def rotor_photo(columns: int = 30, rows: int = 20) -> bytes:
    """A JPEG (baseline, grey) of a brake rotor, out of focus: one brightness for each block of 8 by 8 pixels."""

    def brightness(column: int, row: int) -> int:
        reach = ((column - columns / 2 + 0.5) ** 2 + (row - rows / 2 + 0.5) ** 2) ** 0.5
        return 70 if reach < 2 else 190 if 6 < reach < 8.5 else 120 + row * 3

    bits, before = [], 0
    for row in range(rows):
        for column in range(columns):
            # With a quantiser of 8 a block's first coefficient is its brightness, less the middle of the scale.
            step = brightness(column, row) - 128 - before
            before += step
            size = abs(step).bit_length()
            bits.append(_step_codes()[size])
            if size:
                bits.append(format(step if step > 0 else step + (1 << size) - 1, f"0{size}b"))
            bits.append("0")
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    data = int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\0")

    def segment(marker: int, content: bytes) -> bytes:
        return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content

    frame = struct.pack(">BHHBBBB", 8, rows * 8, columns * 8, 1, 1, 0x11, 0)
    return b"".join((
        b"\xff\xd8",
        segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"),
        segment(0xDB, b"\0" + b"\x08" * 64),
        segment(0xC0, frame),
        segment(0xC4, b"\x00" + _STEP_LENGTHS + _STEPS),
        segment(0xC4, b"\x10" + _END_LENGTHS + b"\0"),
        segment(0xDA, b"\x01\x01\x00\x00\x3f\x00"),
        data,
        b"\xff\xd9",
    ))  # fmt: skip


def _step_codes() -> list[str]:
    """The code of each step size as a text of bits: canonical, counted up within and doubled between lengths."""
    codes, code = [], 0
    for length, count in enumerate(_STEP_LENGTHS, 1):
        for _ in range(count):
            codes.append(format(code, f"0{length}b"))
            code += 1
        code <<= 1
    return codes
