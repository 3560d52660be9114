"""What must never lie about: everything personal of the demo's village, to look for in bytes."""

import re

from kiosk.demo import village

SECRETS = {
    "a NIK": [str(fields["nik"]).encode() for fields in village.demo_residents()],
    "a NIK as a number": [int(fields["nik"]).to_bytes(8, "big") for fields in village.demo_residents()],
    "a name": [str(fields["name"]).encode() for fields in village.demo_residents()],
    "a card's number": [uid.hex().encode() for uid in village.DEMO_CARDS.values()]
    + [uid.hex().upper().encode() for uid in village.DEMO_CARDS.values()]
    + list(village.DEMO_CARDS.values()),
    "an answer": [b"Toko kelontong", b"Mengajukan pinjaman bank", b"Melamar pekerjaan"],
}
#: Not the microseconds of a moment.
PIN = re.compile(rb"(?<![.\d])%s(?!\d)" % village.DEMO_PIN.encode())


def personal_in(data: bytes) -> set[str]:
    found = {kind for kind, values in SECRETS.items() if any(value in data for value in values)}
    return found | ({"the PIN"} if PIN.search(data) else set())
