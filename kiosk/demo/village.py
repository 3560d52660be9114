"""Fills the store with a village of invented residents, for `kiosk demo`, pictures and tests.

Nobody here exists: the NIKs have the structure of Jenu's (352312…) and serials from 9001 on.
"""

from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING

from hardware.card_reader.interface import Biodata, Card, CardKind
from kiosk.officers import Officer, Role
from kiosk.requests import LetterRequest, RequestState
from kiosk.signing.interface import Passphrase

if TYPE_CHECKING:
    from kiosk.office import Office
    from kiosk.residents import Residents

#: The PIN of every resident of the demo but the one who has none.
DEMO_PIN = "246802"
DEMO_TECHNICIAN_PIN = "135791"

#: The password of every officer of the demo.
DEMO_PASSWORD = "perahu biru di dermaga"
DEMO_OFFICERS = (
    Officer(1, "ratna", "RATNA KUSUMA", "", Role.OPERATOR),
    Officer(2, "wulan", "WULAN SETYOWATI, S.AP.", "198504172010012003", Role.SECRETARY),
    Officer(3, "sudarman", "H. SUDARMAN, S.Sos.", "", Role.HEAD),
)

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
READY_LETTER_TYPE = "domisili"
READY_LETTER_KEY = "demo:ready-letter"
READY_LETTER_FIELDS = {"purpose": "Melamar pekerjaan"}

# name, sex, birth date, birth place, marital status, education, occupation, RT, RW, household, relation to its head
_PEOPLE = """
SITI AMINAH|P|1979-10-01|TUBAN|KAWIN|SLTA/SEDERAJAT|PEDAGANG|001|001|1|ISTRI
BUDI SANTOSO|L|1985-03-12|TUBAN|KAWIN|SLTA/SEDERAJAT|NELAYAN/PERIKANAN|001|001|1|KEPALA KELUARGA
SUMARNI|P|1952-07-21|TUBAN|CERAI MATI|TAMAT SD/SEDERAJAT|MENGURUS RUMAH TANGGA|002|001|2|KEPALA KELUARGA
JOKO PRASETYO|L|1998-12-30|LAMONGAN|BELUM KAWIN|DIPLOMA IV/STRATA I|KARYAWAN SWASTA|002|001|2|ANAK
WAGIMAN|L|1948-01-05|TUBAN|KAWIN|TIDAK/BELUM SEKOLAH|PETANI/PEKEBUN|003|001|3|KEPALA KELUARGA
DEWI LESTARI|P|1990-05-17|TUBAN|KAWIN|DIPLOMA III|BIDAN|003|001|3|MENANTU
AGUS WIDODO|L|1976-08-08|REMBANG|KAWIN|SLTP/SEDERAJAT|BURUH HARIAN LEPAS|004|001|4|KEPALA KELUARGA
SRI WAHYUNI|P|1983-02-14|TUBAN|KAWIN|SLTA/SEDERAJAT|WIRASWASTA|004|001|4|ISTRI
SLAMET RIYADI|L|1969-11-25|TUBAN|KAWIN|TAMAT SD/SEDERAJAT|NELAYAN/PERIKANAN|001|002|5|KEPALA KELUARGA
NUR HIDAYAH|P|1995-09-03|BOJONEGORO|BELUM KAWIN|DIPLOMA IV/STRATA I|GURU|001|002|5|ANAK
MUHAMMAD FAUZI|L|2001-04-19|TUBAN|BELUM KAWIN|SLTA/SEDERAJAT|PELAJAR/MAHASISWA|002|002|6|ANAK
KASMIRAH|P|1957-06-06|TUBAN|CERAI MATI|TIDAK/BELUM SEKOLAH|PETANI/PEKEBUN|002|002|6|KEPALA KELUARGA
EKO PURNOMO|L|1988-10-10|TUBAN|KAWIN|SLTA/SEDERAJAT|SOPIR|003|002|7|KEPALA KELUARGA
RINI ASTUTI|P|1992-01-28|GRESIK|KAWIN|SLTA/SEDERAJAT|PENJAHIT|003|002|7|ISTRI
SUPARDI|L|1962-03-31|TUBAN|KAWIN|SLTP/SEDERAJAT|PETANI/PEKEBUN|004|002|8|KEPALA KELUARGA
YULIANA SARI|P|1999-07-15|TUBAN|BELUM KAWIN|DIPLOMA IV/STRATA I|KARYAWAN SWASTA|004|002|8|ANAK
BAMBANG HERMANTO|L|1973-12-02|SURABAYA|KAWIN|DIPLOMA IV/STRATA I|PEGAWAI NEGERI SIPIL|001|003|9|KEPALA KELUARGA
ENDANG SULASTRI|P|1978-04-24|TUBAN|KAWIN|SLTA/SEDERAJAT|PEDAGANG|001|003|9|ISTRI
RUDI HARTONO|L|1994-08-30|TUBAN|BELUM KAWIN|SLTA/SEDERAJAT|MEKANIK|002|003|10|ANAK
MARYATI|P|1966-05-09|TUBAN|KAWIN|TAMAT SD/SEDERAJAT|MENGURUS RUMAH TANGGA|002|003|10|KEPALA KELUARGA
TEGUH WALUYO|L|1981-09-22|LAMONGAN|KAWIN|SLTA/SEDERAJAT|TUKANG KAYU|003|003|11|KEPALA KELUARGA
INDAH PERMATA|P|2003-02-11|TUBAN|BELUM KAWIN|SLTA/SEDERAJAT|PELAJAR/MAHASISWA|003|003|11|ANAK
SUKARNO HADI|L|1955-10-18|TUBAN|KAWIN|SLTP/SEDERAJAT|PENSIUNAN|004|003|12|KEPALA KELUARGA
LILIK HANDAYANI|P|1987-06-27|TUBAN|CERAI HIDUP|SLTA/SEDERAJAT|WIRASWASTA|004|003|12|ANAK
ARIF RAHMAN|L|1996-11-07|TUBAN|BELUM KAWIN|DIPLOMA III|PERAWAT|001|004|13|ANAK
TUTIK SUPRIHATIN|P|1971-03-16|TUBAN|KAWIN|SLTP/SEDERAJAT|PEDAGANG|001|004|13|KEPALA KELUARGA
HENDRA GUNAWAN|L|1984-07-04|MALANG|KAWIN|SLTA/SEDERAJAT|KARYAWAN SWASTA|002|004|14|KEPALA KELUARGA
SULASTRI|P|1960-12-12|TUBAN|KAWIN|TAMAT SD/SEDERAJAT|BURUH TANI/PERKEBUNAN|002|004|14|MERTUA
DIMAS SAPUTRA|L|2004-05-20|TUBAN|BELUM KAWIN|SLTA/SEDERAJAT|BELUM/TIDAK BEKERJA|003|004|15|KEPALA KELUARGA
FITRI RAHMAWATI|P|1993-01-09|TUBAN|KAWIN|DIPLOMA IV/STRATA I|GURU|003|004|16|KEPALA KELUARGA
KUSNADI|L|1967-08-17|REMBANG|KAWIN|TAMAT SD/SEDERAJAT|NELAYAN/PERIKANAN|004|004|17|KEPALA KELUARGA
WIWIK ANDAYANI|P|1980-10-29|TUBAN|KAWIN|SLTA/SEDERAJAT|MENGURUS RUMAH TANGGA|004|004|17|ISTRI
ANDI SETIAWAN|L|1991-04-06|TUBAN|KAWIN|SLTA/SEDERAJAT|PEDAGANG|001|005|18|KEPALA KELUARGA
SUPRAPTI|P|1950-02-23|TUBAN|CERAI MATI|TIDAK/BELUM SEKOLAH|MENGURUS RUMAH TANGGA|001|005|18|ORANG TUA
WAHYU KURNIAWAN|L|2000-09-14|BOJONEGORO|BELUM KAWIN|DIPLOMA III|KARYAWAN SWASTA|002|005|19|ANAK
ANIK MULYANI|P|1974-06-01|TUBAN|KAWIN|SLTA/SEDERAJAT|PENJAHIT|002|005|19|KEPALA KELUARGA
SUGENG RAHARJO|L|1964-11-11|TUBAN|KAWIN|SLTA/SEDERAJAT|PERANGKAT DESA|003|005|20|KEPALA KELUARGA
PUTRI MAHARANI|P|2002-08-26|TUBAN|BELUM KAWIN|SLTA/SEDERAJAT|PELAJAR/MAHASISWA|003|005|20|ANAK
IMAM SYAFII|L|1986-12-19|TUBAN|KAWIN|SLTA/SEDERAJAT|WIRASWASTA|004|005|21|KEPALA KELUARGA
ROKHANA|P|1977-03-08|LAMONGAN|KAWIN|SLTP/SEDERAJAT|PEDAGANG|004|005|21|ISTRI
RIZKY SANTOSO|L|2010-05-14|TUBAN|BELUM KAWIN|TAMAT SD/SEDERAJAT|PELAJAR/MAHASISWA|001|001|1|ANAK
AYU SANTOSO|P|2014-09-02|TUBAN|BELUM KAWIN|BELUM TAMAT SD/SEDERAJAT|PELAJAR/MAHASISWA|001|001|1|ANAK
NGATMI|P|1951-04-18|TUBAN|KAWIN|TIDAK/BELUM SEKOLAH|MENGURUS RUMAH TANGGA|003|001|3|ISTRI
BAGAS WIDODO|L|2009-06-21|TUBAN|BELUM KAWIN|TAMAT SD/SEDERAJAT|PELAJAR/MAHASISWA|004|001|4|ANAK
KUSMIATI|P|2001-03-05|TUBAN|BELUM KAWIN|SLTA/SEDERAJAT|BELUM/TIDAK BEKERJA|004|004|17|ANAK
KUSWANTO|L|2003-08-19|TUBAN|BELUM KAWIN|SLTA/SEDERAJAT|NELAYAN/PERIKANAN|004|004|17|ANAK
KUSRINI|P|2006-12-11|TUBAN|BELUM KAWIN|SLTP/SEDERAJAT|PELAJAR/MAHASISWA|004|004|17|ANAK
KUSTIYAH|P|2010-02-27|TUBAN|BELUM KAWIN|TAMAT SD/SEDERAJAT|PELAJAR/MAHASISWA|004|004|17|ANAK
KUSHARTONO|L|2014-07-30|TUBAN|BELUM KAWIN|BELUM TAMAT SD/SEDERAJAT|PELAJAR/MAHASISWA|004|004|17|ANAK
KUSNARTI LESTARI|P|2021-10-03|TUBAN|BELUM KAWIN|TIDAK/BELUM SEKOLAH|BELUM/TIDAK BEKERJA|004|004|17|ANAK
"""


def _first_name(fields: dict[str, str | date]) -> str:
    return str(fields["name"]).split()[0].lower()


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


def fill(office: "Office") -> None:
    """Settle the village in an office's store: residents, PINs, cards, officers, the key that signs, and one letter
    that is ready. Does nothing where it was finished before, and finishes what an earlier call left undone."""
    from kiosk.residents import UnknownResident

    try:
        owner = office.residents.by_nik(NIKS[WITH_READY_LETTER])
        if any(request.state is not RequestState.SUBMITTED for request in office.requests.of_resident(owner.id)):
            return
    except UnknownResident:
        pass  # an empty village
    settle_residents(office.residents)
    settle_officers(office)
    _make_ready_letter(office)


def settle_residents(residents: "Residents", count: int | None = None) -> None:
    """The first `count` of them, or all, with their PINs and cards."""
    people = demo_residents()[:count]
    residents.put_all(people)
    for fields in people:
        name = _first_name(fields)
        if name != WITHOUT_PIN:
            residents.set_pin(fields["nik"], DEMO_PIN)
        if name in DEMO_CARDS:
            residents.enrol_card(fields["nik"], DEMO_CARDS[name])


def settle_officers(office: "Office") -> None:
    """One of each role, and the key that signs letters."""
    from kiosk.officers import UsernameTaken
    from kiosk.signing.pdf_keys import create_keys, has_signer

    for officer in DEMO_OFFICERS:
        with suppress(UsernameTaken):  # an earlier call came that far
            office.officers.add(officer.username, officer.name, officer.role, DEMO_PASSWORD, officer.nip)
    if not has_signer(office.settings):
        create_keys(office.settings, office.clock.now())


def _make_ready_letter(office: "Office") -> None:
    owner = office.residents.by_nik(NIKS[WITH_READY_LETTER])
    request = office.requests.submit(owner.id, READY_LETTER_TYPE, READY_LETTER_FIELDS, READY_LETTER_KEY)
    office.requests.begin_check(request.number, DEMO_OFFICERS[0].username)
    office.requests.approve(request.number, DEMO_OFFICERS[0].username)
    letter = sign_by_all(office, request.number)
    office.requests.mark_told([letter.id])


def sign_by_all(office: "Office", number: str) -> LetterRequest:
    """The letter of an approved request, signed by each of its chain."""
    signed = office.requests.by_number(number)
    for role in office.letter_types[signed.letter_type].signers[signed.signed :]:
        officer = office.officers.by_username(next(each.username for each in DEMO_OFFICERS if each.role is role))
        signed = office.letters.sign(number, officer, Passphrase(""))
    return signed


def _fields(columns: list[str], serial: int) -> dict[str, str | date]:
    name, sex, born_on, birth_place, marital_status, education, occupation, rt, rw, household, relation = columns
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
        "family_number": f"352312010115{int(household) + 9000}",
        "family_relation": relation,
    }


#: First name → NIK.
NIKS = {_first_name(fields): fields["nik"] for fields in demo_residents()}
