"""Fills the store with a village of invented residents, for `kiosk demo`, pictures and tests.

Nobody here exists: the NIKs have the structure of Jenu's (352312…) and serials from 9001 on.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from hardware.card_reader.interface import Biodata, Card, CardKind
from kiosk.officers import Officer, Role

if TYPE_CHECKING:
    from kiosk.codes import LetterFacts
    from kiosk.letter_types import LetterType
    from kiosk.requests import Requests
    from kiosk.residents import Residents

#: The PIN of every resident of the demo but the one who has none.
DEMO_PIN = "246802"
DEMO_TECHNICIAN_PIN = "135791"

#: Name → uid. `nobody` is a card that is not registered; `wagiman` has a card and no PIN.
DEMO_CARDS = {
    "siti": bytes.fromhex("04a1b2c3d4e501"),
    "budi": bytes.fromhex("04a1b2c3d4e502"),
    "sumarni": bytes.fromhex("04a1b2c3d4e503"),
    "joko": bytes.fromhex("04a1b2c3d4e504"),
    "wagiman": bytes.fromhex("04a1b2c3d4e505"),
    "nobody": bytes.fromhex("04a1b2c3d4e5ff"),
}
WITHOUT_PIN = "wagiman"
WITH_READY_LETTER = "siti"
HEAD = Officer(0, "kades", "H. SUDARMAN, S.Sos.", "", Role.HEAD)
READY_LETTER_KEY = "demo:ready-letter"
READY_LETTER_FIELDS = {"purpose": "Melamar pekerjaan"}

# name, sex, birth date, birth place, marital status, education, occupation, RT, RW
_PEOPLE = """
SITI AMINAH|P|1979-10-01|TUBAN|KAWIN|SLTA/SEDERAJAT|PEDAGANG|001|001
BUDI SANTOSO|L|1985-03-12|TUBAN|KAWIN|SLTA/SEDERAJAT|NELAYAN/PERIKANAN|001|001
SUMARNI|P|1952-07-21|TUBAN|CERAI MATI|TAMAT SD/SEDERAJAT|MENGURUS RUMAH TANGGA|002|001
JOKO PRASETYO|L|1998-12-30|LAMONGAN|BELUM KAWIN|DIPLOMA IV/STRATA I|KARYAWAN SWASTA|002|001
WAGIMAN|L|1948-01-05|TUBAN|KAWIN|TIDAK/BELUM SEKOLAH|PETANI/PEKEBUN|003|001
DEWI LESTARI|P|1990-05-17|TUBAN|KAWIN|DIPLOMA III|BIDAN|003|001
AGUS WIDODO|L|1976-08-08|REMBANG|KAWIN|SLTP/SEDERAJAT|BURUH HARIAN LEPAS|004|001
SRI WAHYUNI|P|1983-02-14|TUBAN|KAWIN|SLTA/SEDERAJAT|WIRASWASTA|004|001
SLAMET RIYADI|L|1969-11-25|TUBAN|KAWIN|TAMAT SD/SEDERAJAT|NELAYAN/PERIKANAN|001|002
NUR HIDAYAH|P|1995-09-03|BOJONEGORO|BELUM KAWIN|DIPLOMA IV/STRATA I|GURU|001|002
MUHAMMAD FAUZI|L|2001-04-19|TUBAN|BELUM KAWIN|SLTA/SEDERAJAT|PELAJAR/MAHASISWA|002|002
KASMIRAH|P|1957-06-06|TUBAN|CERAI MATI|TIDAK/BELUM SEKOLAH|PETANI/PEKEBUN|002|002
EKO PURNOMO|L|1988-10-10|TUBAN|KAWIN|SLTA/SEDERAJAT|SOPIR|003|002
RINI ASTUTI|P|1992-01-28|GRESIK|KAWIN|SLTA/SEDERAJAT|PENJAHIT|003|002
SUPARDI|L|1962-03-31|TUBAN|KAWIN|SLTP/SEDERAJAT|PETANI/PEKEBUN|004|002
YULIANA SARI|P|1999-07-15|TUBAN|BELUM KAWIN|DIPLOMA IV/STRATA I|KARYAWAN SWASTA|004|002
BAMBANG HERMANTO|L|1973-12-02|SURABAYA|KAWIN|DIPLOMA IV/STRATA I|PEGAWAI NEGERI SIPIL|001|003
ENDANG SULASTRI|P|1978-04-24|TUBAN|KAWIN|SLTA/SEDERAJAT|PEDAGANG|001|003
RUDI HARTONO|L|1994-08-30|TUBAN|BELUM KAWIN|SLTA/SEDERAJAT|MEKANIK|002|003
MARYATI|P|1966-05-09|TUBAN|KAWIN|TAMAT SD/SEDERAJAT|MENGURUS RUMAH TANGGA|002|003
TEGUH WALUYO|L|1981-09-22|LAMONGAN|KAWIN|SLTA/SEDERAJAT|TUKANG KAYU|003|003
INDAH PERMATA|P|2003-02-11|TUBAN|BELUM KAWIN|SLTA/SEDERAJAT|PELAJAR/MAHASISWA|003|003
SUKARNO HADI|L|1955-10-18|TUBAN|KAWIN|SLTP/SEDERAJAT|PENSIUNAN|004|003
LILIK HANDAYANI|P|1987-06-27|TUBAN|CERAI HIDUP|SLTA/SEDERAJAT|WIRASWASTA|004|003
ARIF RAHMAN|L|1996-11-07|TUBAN|BELUM KAWIN|DIPLOMA III|PERAWAT|001|004
TUTIK SUPRIHATIN|P|1971-03-16|TUBAN|KAWIN|SLTP/SEDERAJAT|PEDAGANG|001|004
HENDRA GUNAWAN|L|1984-07-04|MALANG|KAWIN|SLTA/SEDERAJAT|KARYAWAN SWASTA|002|004
SULASTRI|P|1960-12-12|TUBAN|KAWIN|TAMAT SD/SEDERAJAT|BURUH TANI/PERKEBUNAN|002|004
DIMAS SAPUTRA|L|2004-05-20|TUBAN|BELUM KAWIN|SLTA/SEDERAJAT|BELUM/TIDAK BEKERJA|003|004
FITRI RAHMAWATI|P|1993-01-09|TUBAN|KAWIN|DIPLOMA IV/STRATA I|GURU|003|004
KUSNADI|L|1967-08-17|REMBANG|KAWIN|TAMAT SD/SEDERAJAT|NELAYAN/PERIKANAN|004|004
WIWIK ANDAYANI|P|1980-10-29|TUBAN|KAWIN|SLTA/SEDERAJAT|MENGURUS RUMAH TANGGA|004|004
ANDI SETIAWAN|L|1991-04-06|TUBAN|KAWIN|SLTA/SEDERAJAT|PEDAGANG|001|005
SUPRAPTI|P|1950-02-23|TUBAN|CERAI MATI|TIDAK/BELUM SEKOLAH|MENGURUS RUMAH TANGGA|001|005
WAHYU KURNIAWAN|L|2000-09-14|BOJONEGORO|BELUM KAWIN|DIPLOMA III|KARYAWAN SWASTA|002|005
ANIK MULYANI|P|1974-06-01|TUBAN|KAWIN|SLTA/SEDERAJAT|PENJAHIT|002|005
SUGENG RAHARJO|L|1964-11-11|TUBAN|KAWIN|SLTA/SEDERAJAT|PERANGKAT DESA|003|005
PUTRI MAHARANI|P|2002-08-26|TUBAN|BELUM KAWIN|SLTA/SEDERAJAT|PELAJAR/MAHASISWA|003|005
IMAM SYAFII|L|1986-12-19|TUBAN|KAWIN|SLTA/SEDERAJAT|WIRASWASTA|004|005
ROKHANA|P|1977-03-08|LAMONGAN|KAWIN|SLTP/SEDERAJAT|PEDAGANG|004|005
"""


def demo_cards() -> dict[str, Card]:
    """The cards that the bench can tap, by their name."""
    return {name: Card(uid, CardKind.EKTP) for name, uid in DEMO_CARDS.items()}


def demo_biodata() -> dict[str, Biodata]:
    """What their owners' cards hold, by the same names."""
    people = {fields["name"].split()[0].lower(): fields for fields in demo_residents()}
    return {
        name: Biodata(fields["nik"], fields["name"], fields["birth_date"], fields["birth_place"])
        for name, fields in people.items()
        if name in DEMO_CARDS
    }


def demo_residents() -> list[dict[str, str | date]]:
    """The fields of every resident, as `Residents.add` takes them."""
    return [_fields(line.split("|"), serial) for serial, line in enumerate(_PEOPLE.split("\n")[1:-1], 9001)]


def fill(
    residents: "Residents", requests: "Requests", letter_type: "LetterType", sign: "Callable[[LetterFacts], str]"
) -> None:
    """Settle the village in a store: residents, PINs, cards, and one letter of `letter_type` that is ready. Does
    nothing where it was finished before, and finishes what an earlier call left undone."""
    from kiosk.requests import RequestState
    from kiosk.residents import AlreadyRegistered, UnknownResident

    people = demo_residents()
    niks = {fields["name"].split()[0].lower(): fields["nik"] for fields in people}
    try:
        letters = requests.of_resident(residents.by_nik(niks[WITH_READY_LETTER]).id)
        if any(letter.token for letter in letters):
            return
    except UnknownResident:
        pass  # an empty village
    for fields in people:
        try:
            residents.add(fields)
        except AlreadyRegistered:
            pass  # an earlier call came that far
    for name, nik in niks.items():
        if name != WITHOUT_PIN:
            residents.set_pin(nik, DEMO_PIN)
        if name in DEMO_CARDS:
            residents.enrol_card(nik, DEMO_CARDS[name])
    owner = residents.by_nik(niks[WITH_READY_LETTER])
    request = requests.submit(owner.id, letter_type.key, READY_LETTER_FIELDS, READY_LETTER_KEY)
    if request.state is RequestState.SUBMITTED:
        requests.begin_check(request.number, HEAD.username)
        requests.approve(request.number, HEAD.username)
        for role in letter_type.signers[:-1]:
            requests.initial(request.number, replace(HEAD, role=role), letter_type)
        numbered = requests.give_number(request.number, HEAD, letter_type, sign)
        requests.mark_told([requests.issue(numbered, HEAD, None).id])


def _fields(columns: list[str], serial: int) -> dict[str, str | date]:
    name, sex, born_on, birth_place, marital_status, education, occupation, rt, rw = columns
    born = date.fromisoformat(born_on)
    day = born.day + (40 if sex == "P" else 0)
    return {
        "nik": f"352312{day:02}{born:%m%y}{serial}",
        "name": name,
        "birth_place": birth_place,
        "birth_date": born,
        "sex": "PEREMPUAN" if sex == "P" else "LAKI-LAKI",
        "religion": "ISLAM",
        "marital_status": marital_status,
        "education": education,
        "occupation": occupation,
        "citizenship": "WNI",
        "address": "DUSUN KRAJAN",
        "rt": rt,
        "rw": rw,
    }
