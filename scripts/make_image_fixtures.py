"""Makes tests/fixtures/image: small photos of every kind, and what Pillow makes of them.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install pillow==13.0.0 numpy
    /tmp/venv/bin/python scripts/make_image_fixtures.py

`NAME.EXT` is a photo, `NAME.EXT.rgb` its upright pixels as rows of RGB, after `convert("RGB")`.
"""

import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "tests" / "fixtures" / "image"
ORIENTATION = 0x0112


def small(width=24, height=16):
    """A part of a photo with colour and edges, so that no orientation looks like another."""
    photo = Image.open(ROOT / "photos" / "coffee.jpg").convert("RGB")
    return photo.crop((150, 60, 450, 260)).resize((width, height), Image.LANCZOS)


def keep(name, data, expected=None):
    """Writes a photo and its expected pixels: Pillow's, unless they are given."""
    (OUT / name).write_bytes(data)
    if expected is None:
        image = Image.open(BytesIO(data))
        image.seek(0)
        expected = ImageOps.exif_transpose(image).convert("RGB")
    if isinstance(expected, Image.Image):
        expected = np.asarray(expected)
    (OUT / f"{name}.rgb").write_bytes(np.ascontiguousarray(expected, dtype=np.uint8).tobytes())


def saved(image, kind, **options):
    data = BytesIO()
    image.save(data, kind, **options)
    return data.getvalue()


def exif(value):
    block = Image.Exif()
    block[ORIENTATION] = value
    return block.tobytes()


def jpegs():
    image = small()
    fine = dict(quality=95, subsampling=0)
    for value in range(1, 9):
        keep(f"exif-{value}.jpg", saved(image, "JPEG", exif=exif(value), **fine))
    keep("grey.jpg", saved(image.convert("L"), "JPEG", quality=95))
    cmyk = saved(image.convert("CMYK"), "JPEG", **fine)
    keep("cmyk.jpg", cmyk)
    adobe = cmyk.index(b"Adobe")
    keep("ycck.jpg", cmyk[: adobe + 11] + b"\2" + cmyk[adobe + 12 :])
    keep("rgb.jpg", saved(image, "JPEG", keep_rgb=True, **fine))
    keep("progressive.jpg", saved(image, "JPEG", progressive=True, **fine))
    keep("restart.jpg", saved(image, "JPEG", restart_marker_blocks=2, **fine))
    keep("optimised.jpg", saved(image, "JPEG", optimize=True, quality=60))
    odd = small(37, 29)
    keep("odd-420.jpg", saved(odd, "JPEG", quality=90, subsampling=2))
    keep("odd-422-progressive.jpg", saved(odd, "JPEG", quality=90, subsampling=1, progressive=True))


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width, height, depth, color, idat, interlaced=0, before=b""):
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlaced)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + chunk(b"IDAT", idat) + chunk(b"IEND", b"")


def plain(pixels):
    """PNG rows without a filter; 16-bit values are big-endian."""
    rows = pixels.reshape(pixels.shape[0], -1)
    rows = rows.astype(">u2") if rows.dtype == np.uint16 else rows
    return b"".join(b"\0" + row.tobytes() for row in rows)


ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def adam7(pixels):
    parts = [pixels[y::dy, x::dx] for x, y, dx, dy in ADAM7]
    return b"".join(plain(np.ascontiguousarray(part)) for part in parts if part.size)


def pngs():
    image = small()
    rgb = np.asarray(image)
    alpha = Image.linear_gradient("L").resize(image.size)
    rgba = image.copy()
    rgba.putalpha(alpha)
    grey_alpha = image.convert("L")
    grey_alpha.putalpha(alpha)
    palette = image.quantize(16)
    keep("rgb.png", saved(image, "PNG"))
    keep("grey.png", saved(image.convert("L"), "PNG"))
    keep("bits.png", saved(image.convert("1"), "PNG"))
    keep("grey-alpha.png", saved(grey_alpha, "PNG"))
    keep("rgb-alpha.png", saved(rgba, "PNG"))
    keep("palette.png", saved(palette, "PNG"))
    keep("palette-alpha.png", saved(palette, "PNG", transparency=3))
    keep("exif-6.png", saved(image, "PNG", exif=exif(6)))
    random = np.random.default_rng(1)
    wide = rgb.astype(np.uint16) * 256 + random.integers(0, 256, rgb.shape, dtype=np.uint16)
    height, width = rgb.shape[:2]
    keep("rgb-16.png", png(width, height, 16, 2, zlib.compress(plain(wide))), rgb)
    keep("grey-16.png", png(width, height, 16, 0, zlib.compress(plain(wide[..., 0]))), rgb[..., [0, 0, 0]])
    with_alpha = np.concatenate([wide, wide[..., :1]], axis=2)
    keep("rgb-alpha-16.png", png(width, height, 16, 6, zlib.compress(plain(with_alpha))), rgb)
    keep("interlaced.png", png(width, height, 8, 2, zlib.compress(adam7(rgb)), interlaced=1), rgb)


def webps():
    image = small()
    rgba = image.copy()
    rgba.putalpha(Image.linear_gradient("L").resize(image.size).point(lambda value: value // 2 + 100))
    keep("lossy.webp", saved(image, "WEBP", quality=90))
    keep("lossless.webp", saved(image, "WEBP", lossless=True))
    keep("lossy-alpha.webp", saved(rgba, "WEBP", quality=90))
    keep("lossless-alpha.webp", saved(rgba, "WEBP", lossless=True, exact=True))
    keep("exif-8.webp", saved(image, "WEBP", lossless=True, exif=exif(8)))
    second = [ImageOps.invert(image)]
    keep("animated.webp", saved(image, "WEBP", lossless=True, save_all=True, append_images=second))


def gif_frame(canvas, left, top, indices, palette, before=b"", flags=0):
    """A GIF of one frame, written by hand: uncompressed LZW of 7-bit indices, cleared in time."""
    height, width = indices.shape
    bits = 7
    codes, held, count = [], 0, 0
    stream = bytearray()

    def put(code):
        nonlocal held, count
        held |= code << count
        count += bits + 1
        while count >= 8:
            stream.append(held & 255)
            held >>= 8
            count -= 8

    for at, index in enumerate(indices.reshape(-1).tolist()):
        if at % 100 == 0:
            put(1 << bits)
        put(index)
    put((1 << bits) + 1)
    put(0)
    blocks = b"".join(bytes([len(stream[i : i + 255])]) + stream[i : i + 255] for i in range(0, len(stream), 255))
    header = b"GIF89a" + struct.pack("<HHBBB", *canvas, 0x80 | 6, 0, 0) + palette.ljust(3 * 128, b"\0")
    frame = b"," + struct.pack("<HHHHB", left, top, width, height, flags)
    return header + before + frame + bytes([bits]) + blocks + b"\0;"


def gifs():
    image = small().quantize(64)
    indices = np.asarray(image)
    palette = bytes(image.getpalette())
    colors = np.frombuffer(palette.ljust(768, b"\0"), dtype=np.uint8).reshape(-1, 3)
    transparent = b"!\xf9\x04" + bytes([1, 0, 0, int(indices[0, 0])]) + b"\0"
    keep("plain.gif", saved(image, "GIF"))
    keep("transparent.gif", gif_frame(image.size, 0, 0, indices, palette, transparent), colors[indices])
    second = [ImageOps.mirror(small()).quantize(64)]
    keep("animated.gif", saved(image, "GIF", save_all=True, append_images=second, duration=100))
    rows = [*range(0, 16, 8), *range(4, 16, 8), *range(2, 16, 4), *range(1, 16, 2)]
    keep("interlaced.gif", gif_frame(image.size, 0, 0, indices[rows], palette, flags=0x40))
    keep("offset.gif", gif_frame((30, 20), 5, 3, indices, palette))


def bombs():
    """Small files that would inflate to 32 MiB, and yet hold a good photo of 24×16 pixels."""
    rgb = np.asarray(small())
    inflated = zlib.compress(bytes(32 << 20), 9)
    idat = zlib.compress(plain(rgb))
    keep("profile-bomb.png", png(24, 16, 8, 2, idat, before=chunk(b"iCCP", b"bomb\0\0" + inflated)), rgb)
    keep("text-bomb.png", png(24, 16, 8, 2, idat, before=chunk(b"zTXt", b"bomb\0\0" + inflated)), rgb)


def resized():
    """A photo of 150×110 pixels in other sizes, and a real photo as the demonstration model takes it."""
    image = small(150, 110)
    (OUT / "source.png").write_bytes(saved(image, "PNG"))
    filters = dict(bilinear=Image.BILINEAR, bicubic=Image.BICUBIC, lanczos3=Image.LANCZOS)
    for name, pillow in filters.items():
        for width, height in [(64, 48), (224, 224), (31, 110)]:
            pixels = np.asarray(image.resize((width, height), pillow))
            (OUT / f"source.png.{name}-{width}x{height}.rgb").write_bytes(pixels.tobytes())
    photo = Image.open(ROOT / "photos" / "chelsea.jpg").convert("RGB")
    side = int(min(photo.size) * 0.875)
    left, top = (photo.width - side) // 2, (photo.height - side) // 2
    crop = photo.crop((left, top, left + side, top + side)).resize((224, 224), Image.BICUBIC)
    (OUT / "chelsea.jpg.bicubic-224x224.rgb").write_bytes(np.asarray(crop).tobytes())


OUT.mkdir(parents=True, exist_ok=True)
for make in [jpegs, pngs, webps, gifs, bombs, resized]:
    make()
