"""The smallest PDF that is one: a single page of text and lines in a built-in font."""

from __future__ import annotations

from dataclasses import dataclass, field

_WIDTHS = {" ": 278, ".": 278, ",": 278, ":": 278, "-": 333, "%": 889}
_DIGIT = 556
A4 = (595, 842)
"""Width and height in points; the origin is the lower left corner."""


@dataclass(slots=True)
class PdfPage:
    """Collects what is drawn; `content` is the page's content stream."""

    title: str
    content: list[bytes] = field(default_factory=list[bytes])

    def text(self, x: float, y: float, text: str, *, size: float = 10, bold: bool = False) -> None:
        """Write a line that starts at x."""
        font = b"/F2" if bold else b"/F1"
        self.content.append(b"BT %s %.1f Tf %.2f %.2f Td (%s) Tj ET" % (font, size, x, y, _escaped(text)))

    def amount(self, right: float, y: float, text: str, *, size: float = 10, bold: bool = False) -> None:
        """Write digits that end at `right`; only digits and punctuation are measured exactly."""
        width = sum(_WIDTHS.get(letter, _DIGIT) for letter in text) * size / 1000
        self.text(right - width, y, text, size=size, bold=bold)

    def rule(self, y: float, left: float = 56, right: float = 539) -> None:
        """Draws a thin horizontal line."""
        self.content.append(b"0.6 w %.2f %.2f m %.2f %.2f l S" % (left, y, right, y))

    def render(self) -> bytes:
        """Return the file."""
        stream = b"\n".join(self.content)
        font = b"<< /Type /Font /Subtype /Type1 /BaseFont /%s /Encoding /WinAnsiEncoding >>"
        page = (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents 4 0 R "
            b"/Resources << /Font << /F1 5 0 R /F2 6 0 R >> >> >>" % A4
        )
        return _file(
            (
                b"<< /Type /Catalog /Pages 2 0 R /Lang (de) >>",
                b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
                page,
                b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
                font % b"Helvetica",
                font % b"Helvetica-Bold",
                b"<< /Title (%s) /Producer (lexgate sandbox) >>" % _escaped(self.title),
            )
        )


def _file(objects: tuple[bytes, ...]) -> bytes:
    """Objects, cross-reference table and trailer; the first object is the catalogue, the last the title."""
    body = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets: list[int] = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start, size = len(body), len(objects) + 1
    body += b"xref\n0 %d\n0000000000 65535 f \n" % size
    body += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    body += b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        size,
        size - 1,
        start,
    )
    return bytes(body)


def _escaped(text: str) -> bytes:
    raw = text.encode("cp1252", "replace")
    return (
        raw.replace(b"\\", b"\\\\")
        .replace(b"(", b"\\(")
        .replace(b")", b"\\)")
        .replace(b"\r", b" ")
        .replace(b"\n", b" ")
    )
