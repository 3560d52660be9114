"""How long a letter's PDF takes to set, and how large it is, beside the libraries that were not taken.

Run: python tests/bench/bench_pdf.py [--runs N] [--beside]. The aim is ≤ 150 ms and ≤ 60 KB for a letter. `--beside`
sets one page of the same kind (four paragraphs, ten lines of a table, two embedded fonts) with each library that is
installed, in a process of its own: pip install fpdf2 reportlab weasyprint.
"""

import argparse
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "bench")]

from bench_paper import median_ms  # noqa: E402
from steps.test_paper_pdf import LETTERS, TITLE  # noqa: E402

from config.settings import Paper  # noqa: E402
from kiosk.paper.pdf import render_pdf  # noqa: E402

TEXT = "Yang bertanda tangan di bawah ini menerangkan bahwa orang tersebut adalah penduduk desa kami. " * 5
BEFORE = f"""
import io, statistics, time
TEXT, REGULAR, BOLD = {TEXT!r}, "{ROOT}/config/fonts/Tinos-Regular.ttf", "{ROOT}/config/fonts/Tinos-Bold.ttf"
begun = time.perf_counter()
"""
AFTER = """
spans = []
imported_ms = (imported - begun) * 1000
for run in range(15):
    begun = time.perf_counter()
    pdf = page()
    spans.append((time.perf_counter() - begun) * 1000)
most_kib = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(f"import {imported_ms:4.0f} ms · first {spans[0]:4.0f} ms · then {statistics.median(spans[1:]):4.0f} ms"
      f" · {len(pdf) / 1000:3.0f} KB · {int(most_kib) / 1024:3.0f} MiB")
"""
#: Each makes one page, a PDF/A where the library can.
PAGES = {
    "typst": f"""
import typst
imported = time.perf_counter()
def page():
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=["{ROOT}/config/fonts"])
    source = '#set document(title: "x")\\n#set text(font: "Tinos")\\n*SURAT*\\n\\n' + (TEXT + "\\n\\n") * 4
    source += '#table(columns: 3, ' + '[Nama], [:], [SITI],' * 10 + ')'
    return typst.compile(source.encode(), format="pdf", pdf_standards="a-2u", font_paths=fonts)
""",
    "fpdf2": """
from fpdf import FPDF
imported = time.perf_counter()
def page():
    pdf = FPDF(format=(215, 330), enforce_compliance="PDF/A-2B")
    pdf.add_font("T", "", REGULAR)
    pdf.add_font("T", "B", BOLD)
    pdf.add_page()
    pdf.set_title("x")
    pdf.set_font("T", "B", 12)
    pdf.multi_cell(0, 6, "SURAT", new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("T", "", 12)
    for _ in range(4):
        pdf.multi_cell(0, 6, TEXT, align="J", new_x="LMARGIN", new_y="NEXT")
    for _ in range(10):
        pdf.cell(50, 6, "Nama")
        pdf.cell(4, 6, ":")
        pdf.multi_cell(0, 6, "SITI", new_x="LMARGIN", new_y="NEXT")
    return bytes(pdf.output())
""",
    "reportlab (no PDF/A)": """
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Paragraph, SimpleDocTemplate, Table
imported = time.perf_counter()
def page():
    pdfmetrics.registerFont(TTFont("T", REGULAR))
    pdfmetrics.registerFont(TTFont("TB", BOLD))
    plain = ParagraphStyle("plain", fontName="T", fontSize=12, leading=15, alignment=4)
    bold = ParagraphStyle("bold", plain, fontName="TB")
    pdf = io.BytesIO()
    parts = [Paragraph("SURAT", bold), *(Paragraph(TEXT, plain) for _ in range(4))]
    parts.append(Table([["Nama", ":", Paragraph("SITI", plain)]] * 10))
    SimpleDocTemplate(pdf, pagesize=(609, 935)).build(parts)
    return pdf.getvalue()
""",
    "WeasyPrint": """
from weasyprint import HTML
imported = time.perf_counter()
def page():
    html = f'''<meta charset=utf-8><title>x</title><style>@font-face {{font-family: T; src: url(file://{REGULAR})}}
    @font-face {{font-family: T; font-weight: bold; src: url(file://{BOLD})}} @page {{size: 215mm 330mm}}
    body {{font: 12pt T}} p {{text-align: justify}}</style><b>SURAT</b>'''
    html += f"<p>{TEXT}" * 4 + "<table>" + "<tr><td>Nama<td>:<td>SITI" * 10 + "</table>"
    return HTML(string=html).write_pdf(pdf_variant="pdf/a-2u")
""",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--beside", action="store_true")
    options = parser.parse_args()
    for name, document in LETTERS.items():
        for paper in Paper:

            def work(document=document, paper=paper) -> bytes:
                return render_pdf(document, paper, title=TITLE, created_at=datetime(2026, 11, 24, tzinfo=UTC))

            print(f"{name:17} {paper}  {median_ms(work, options.runs):4.0f} ms  {len(work()) / 1000:3.0f} KB")
    for name, page in PAGES.items() if options.beside else ():
        done = subprocess.run([sys.executable, "-c", BEFORE + page + AFTER], capture_output=True, text=True)
        print(f"{name:20} {done.stdout.strip() or done.stderr.strip().splitlines()[-1]}")


if __name__ == "__main__":
    main()
