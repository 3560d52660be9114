"""The QR codes of all papers: error correction M, four modules of white around (ISO/IEC 18004)."""

import qrcode

QUIET_MODULES = 4
# One fixed mask: choosing the best of eight costs four fifths of the encoding, and the choice guards against regular
# payloads. What is printed here is a signature, which is as good as random under any mask.
QR_MASK = 1


def qr_matrix(payload: str) -> list[list[bool]]:
    """Rows of modules, True where black, without the white around. Raises ValueError for a payload that no code holds.
    Not cached: a payload names a person, and nothing of a visit outlives it."""
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=0, mask_pattern=QR_MASK)
    code.add_data(payload, optimize=0)
    code.make()
    return code.modules
