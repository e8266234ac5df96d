"""PNG files of every kind that the format knows: Pillow reads them all and writes but a few."""

import struct
import zlib

import numpy as np

GREY, RGB, INDEXED, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6  # the colour types
CHANNELS = {GREY: 1, RGB: 3, INDEXED: 1, GREY_ALPHA: 2, RGBA: 4}
DEPTHS = {GREY: (1, 2, 4, 8, 16), RGB: (8, 16), INDEXED: (1, 2, 4, 8), GREY_ALPHA: (8, 16), RGBA: (8, 16)}
ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
KINDS = [
    (color, depth, transparent, interlaced)
    for color, depths in DEPTHS.items()
    for depth in depths
    for transparent in ((False, True) if color in (GREY, RGB, INDEXED) else (False,))
    for interlaced in (False, True)
]


def png(color, depth, transparent=False, interlaced=False, extra=()):
    """Seeded noise of one kind, 19 x 13 pixels, with tRNS where `transparent`; `extra` are chunks `(name, data)`."""
    generator = np.random.default_rng(0)
    samples = generator.integers(0, 2**depth, (13, 19, CHANNELS[color]))
    if color in (GREY, RGB):
        samples[3:9, 5:12] = samples[4, 6]  # so that the colour that tRNS names is there
    chunks = []
    if color == INDEXED:
        chunks.append((b"PLTE", generator.integers(0, 256, (2**depth, 3), "uint8").tobytes()))
    if transparent:
        opacities = generator.integers(0, 256, 2**depth if color == INDEXED else 0, "uint8")
        chunks.append((b"tRNS", opacities.tobytes() or samples[4, 6].astype(">u2").tobytes()))
    passes = ADAM7 if interlaced else ((0, 0, 1, 1),)
    parts = [_rows(samples[top::down, left::right], depth) for top, left, down, right in passes]
    header = struct.pack(">IIBBBBB", samples.shape[1], samples.shape[0], depth, color, 0, 0, interlaced)
    chunks = [(b"IHDR", header), *chunks, *extra, (b"IDAT", zlib.compress(b"".join(parts))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _rows(samples, depth):
    """Each row after a byte that says that it is not filtered."""
    if samples.size == 0:
        return b""
    rows = samples.reshape(len(samples), -1)
    if depth < 8:
        bits = np.unpackbits(rows.astype("uint8")[..., None], axis=-1)[..., 8 - depth :]
        packed = np.packbits(bits.reshape(len(rows), -1), axis=-1)
    else:
        packed = rows.astype(">u2").view("uint8") if depth == 16 else rows.astype("uint8")
    return b"".join(b"\0" + row.tobytes() for row in packed)


def _chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
