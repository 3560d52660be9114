"""A paper that nobody wrote, for the camera of the bench: an invented cover letter on a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

TABLE_PX = (1920, 1080)
TABLE = (116, 92, 70)
PAPER = (236, 233, 225)
INK = (38, 40, 48)
TURN_DEG = 1.5
HEAD = ("RUKUN TETANGGA 001 RUKUN WARGA 001", "DESA CONTOH", "SURAT PENGANTAR")
LINES = (
    "Yang bertanda tangan di bawah ini Ketua RT 001",
    "menerangkan bahwa warga yang namanya tertera pada",
    "permohonan ini benar tinggal di lingkungan kami.",
    "",
    "Surat pengantar ini dibuat untuk mengurus surat",
    "keterangan di kantor desa, dan hanya sebuah contoh.",
    "",
    "Ketua RT 001",
    "",
    "(nama rekaan)",
)


def example_paper() -> Image.Image:
    """RGB, as large as a Full HD camera sees it."""
    from PIL import Image, ImageDraw, ImageFont

    sheet = Image.new("RGB", (1180, 980), PAPER)
    draw = ImageDraw.Draw(sheet)
    head, text = ImageFont.load_default(42), ImageFont.load_default(38)
    for number, line in enumerate(HEAD):
        draw.text((590, 70 + 60 * number), line, INK, head, anchor="mm")
    draw.line((90, 240, 1090, 240), INK, 4)
    for number, line in enumerate(LINES):
        draw.text((100, 300 + 62 * number), line, INK, text, anchor="lm")
    table = Image.new("RGB", TABLE_PX, TABLE)
    turned = sheet.convert("RGBA").rotate(TURN_DEG, expand=True, resample=Image.Resampling.BICUBIC)
    table.paste(turned, ((table.width - turned.width) // 2, (table.height - turned.height) // 2), turned)
    return table


def bare_table() -> Image.Image:
    """What the camera sees where no paper lies."""
    from PIL import Image

    return Image.new("RGB", TABLE_PX, TABLE)
