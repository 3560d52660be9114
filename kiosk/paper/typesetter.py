"""A process that sets one letter and is gone: `typesetter.py TEMPLATE FONTS_DIR STANDARD CREATED_AT_S`, with the letter
as JSON on its standard input and the PDF on its standard output. It imports nothing of ours, so that it starts within
20 ms.
"""

import sys

import typst


def main() -> int:
    template, fonts_dir, standard, created_at_s = sys.argv[1:]
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[fonts_dir])
    try:
        pdf = typst.compile(
            template,
            format="pdf",
            pdf_standards=standard,
            font_paths=fonts,
            sys_inputs={"job": sys.stdin.buffer.read().decode()},
            timestamp=int(created_at_s),
        )
    except typst.TypstError as error:
        # What follows a quotation mark may be of the letter, and ends in a log.
        print(error.message.partition("`")[0], file=sys.stderr)
        return 1
    sys.stdout.buffer.write(pdf)
    return 0


if __name__ == "__main__":
    sys.exit(main())
