"""Residents: finding, registering and changing them, and what they identify with at the kiosk."""

import re
from datetime import date, timedelta

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for

from config.translations import say
from kiosk.desk.access import allowed, confirm_password, notice, officer, services
from kiosk.desk.forms import MOST_ID, WrongInput, row_id, typed, wrong_input_page
from kiosk.desk.pages.requests import lines_of
from kiosk.enrolments import OPEN_FOR_S
from kiosk.officers import Role
from kiosk.register_fields import OPTIONAL, REQUIRED, SEXES, WrongFields, doubt, read_fields
from kiosk.residents import FAMILY_HEAD, LONGEST_TEXT, AlreadyRegistered, Resident, ResidentChanged, UnknownResident

blueprint = Blueprint("residents", __name__, url_prefix="/warga")

PAGE = 50
#: A path's resident.
RESIDENT = f"<int(max={MOST_ID}):resident_id>"
#: Who looks after the register; the others only look.
REGISTRARS = (Role.OPERATOR, Role.SECRETARY)

LABELS = {
    "nik": "NIK",
    "name": "Nama lengkap",
    "birth_place": "Tempat lahir",
    "birth_date": "Tanggal lahir",
    "sex": "Jenis kelamin",
    "address": "Alamat atau dusun",
    "rt": "RT",
    "rw": "RW",
    "religion": "Agama",
    "marital_status": "Status perkawinan",
    "education": "Pendidikan",
    "occupation": "Pekerjaan",
    "citizenship": "Kewarganegaraan",
    "family_number": "Nomor KK",
    "family_relation": "Hubungan dalam keluarga",
}
#: As the civil register writes them; another word may be typed.
SUGGESTIONS = {
    "religion": ("ISLAM", "KRISTEN", "KATOLIK", "HINDU", "BUDDHA", "KHONGHUCU", "KEPERCAYAAN TERHADAP TUHAN YME"),
    "marital_status": ("BELUM KAWIN", "KAWIN", "CERAI HIDUP", "CERAI MATI"),
    "education": (
        "TIDAK/BELUM SEKOLAH",
        "BELUM TAMAT SD/SEDERAJAT",
        "TAMAT SD/SEDERAJAT",
        "SLTP/SEDERAJAT",
        "SLTA/SEDERAJAT",
        "DIPLOMA I/II",
        "AKADEMI/DIPLOMA III/S. MUDA",
        "DIPLOMA IV/STRATA I",
        "STRATA II",
        "STRATA III",
    ),
    "citizenship": ("WNI", "WNA"),
    "family_relation": (
        FAMILY_HEAD,
        "SUAMI",
        "ISTRI",
        "ANAK",
        "MENANTU",
        "CUCU",
        "ORANG TUA",
        "MERTUA",
        "FAMILI LAIN",
        "LAINNYA",
    ),
}


@blueprint.errorhandler(WrongInput)
def wrong_input(error: WrongInput):
    """On the resident's page, where it was typed there."""
    resident_id = request.view_args.get("resident_id")
    return (wrong_input_page(error) if resident_id is None else _page(need_resident(resident_id), str(error))), 422


# Looking.


@blueprint.get("/")
@allowed()
def listing():
    before_id = request.args.get("sebelum", type=row_id)
    found = services().office.residents.newest(before_id, limit=PAGE + 1)
    older = found[PAGE - 1].id if len(found) > PAGE else None
    return _list_page(found[:PAGE], older=older, is_first_page=before_id is None)


@blueprint.post("/cari")
@allowed()
def search():
    """By the NIK or by words of the name: a form, because neither belongs into an address."""
    wanted = typed("wanted", "Yang dicari", longest=120, shortest=2)
    residents = services().office.residents
    if re.fullmatch("[0-9]{16}", nik := re.sub(r"[\s.-]", "", wanted)):
        try:
            return _to(residents.by_nik(nik).id)
        except UnknownResident:
            return _list_page([], wanted=wanted)
    skip = max(request.form.get("skip", 0, type=int), 0)
    found = residents.find(wanted)
    further = skip + PAGE if len(found) > skip + PAGE else None
    return _list_page(found[skip : skip + PAGE], wanted=wanted, count=len(found), further=further)


def _list_page(residents: list[Resident], **values: object) -> str:
    return render_template("residents.html", residents=residents, may_change=may_change(), **values)


@blueprint.get(f"/{RESIDENT}")
@allowed()
def page(resident_id: int):
    return _page(need_resident(resident_id))


def _page(resident: Resident, refusal: str = "") -> str:
    office = services().office
    return render_template(
        "resident.html",
        refusal=refusal,
        resident=resident,
        family=office.residents.family(resident),
        lines=lines_of(office.requests.of_resident(resident.id)),
        credentials=office.residents.credentials(resident.id),
        may_change=may_change(),
    )


# The register.


@blueprint.get("/baru")
@allowed(*REGISTRARS)
def new():
    return _form_page(None, {})


@blueprint.post("/baru")
@allowed(*REGISTRARS)
def register():
    written = _written()
    try:
        fields = read_fields(written, services().office.today())
        resident = services().office.residents.add(fields, officer().username)
    except WrongFields as wrong:
        return _form_page(None, written, wrong.reasons), 422
    except AlreadyRegistered:
        return _form_page(None, written, {"nik": "sudah terdaftar; carilah warga ini di daftar"}), 422
    notice("Warga didaftarkan.")
    _tell_doubt(fields)
    return _to(resident.id)


@blueprint.get(f"/{RESIDENT}/ubah")
@allowed(*REGISTRARS)
def edit(resident_id: int):
    resident = need_resident(resident_id)
    return _form_page(resident, {field: f"{getattr(resident, field)}" for field in LABELS})


@blueprint.post(f"/{RESIDENT}/ubah")
@allowed(*REGISTRARS)
def change(resident_id: int):
    resident = need_resident(resident_id)
    written = _written() | {"nik": resident.nik}
    try:
        fields = read_fields(written, services().office.today())
        seen = request.form.get("seen", "")
        services().office.residents.change(resident_id, fields, officer().username, seen)
    except WrongFields as wrong:
        return _form_page(resident, written, wrong.reasons, seen=request.form.get("seen", "")), 422
    except ResidentChanged:
        return _form_page(need_resident(resident_id), written, is_overtaken=True), 409
    notice("Data warga disimpan.")
    _tell_doubt(fields)
    return _to(resident_id)


def _form_page(
    resident: Resident | None,
    written: dict[str, str],
    reasons: dict[str, str] | None = None,
    seen: str | None = None,
    is_overtaken: bool = False,
) -> str:
    """`resident` is the one that is changed, None for a new one; `seen` what the officer read of it, where that is not
    what the register says now."""
    if resident is not None and seen is None:
        seen = services().office.residents.fingerprint(resident)
    return render_template(
        "resident_form.html",
        resident=resident,
        written=written,
        reasons=reasons or {},
        seen=seen,
        is_overtaken=is_overtaken,
        labels=LABELS,
        required=REQUIRED,
        suggestions=SUGGESTIONS,
        sexes=[(sex, sex) for sex in sorted(set(SEXES.values()))],
        longest=LONGEST_TEXT,
        today=services().office.today(),
    )


def _written() -> dict[str, str]:
    return {field: request.form.get(field, "") for field in (*REQUIRED, *OPTIONAL)}


def _tell_doubt(fields: dict[str, str | date]) -> None:
    if doubtful := doubt(fields):
        notice(f"NIK {doubtful}.")


# What they identify with.


@blueprint.post(f"/{RESIDENT}/kode")
@allowed(*REGISTRARS)
def open_enrolment(resident_id: int):
    """The code stands on this page only, and a page that is sent for again has another. Whoever has it is the resident
    to the kiosk."""
    resident = need_resident(resident_id)
    confirm_password()
    office = services().office
    code = office.enrolments.open(resident_id, officer().username)
    ends_at = office.clock.now() + timedelta(seconds=OPEN_FOR_S)
    return render_template(
        "enrolment.html",
        resident=resident,
        code=code,
        ends_at=ends_at,
        minutes=OPEN_FOR_S // 60,
        kiosk={key: say("id", key) for key in ("i_have_a_code", "use_nik", "forgot_pin")},
    )


@blueprint.post(f"/{RESIDENT}/kartu/putuskan")
@allowed(*REGISTRARS)
def unlink_cards(resident_id: int):
    need_resident(resident_id)
    confirm_password()
    count = services().office.residents.unlink_cards(resident_id, officer().username)
    notice("Kartu tidak dapat dipakai lagi di anjungan." if count else "Tidak ada kartu yang terhubung.")
    return _to(resident_id)


@blueprint.post(f"/{RESIDENT}/buka-kunci")
@allowed(*REGISTRARS)
def unlock(resident_id: int):
    resident = need_resident(resident_id)
    confirm_password()
    services().office.residents.unlock(resident.nik, officer().username)
    notice("Kunci PIN dibuka. Warga dapat mencoba lagi.")
    return _to(resident_id)


def need_resident(resident_id: int) -> Resident:
    """Or the page that says that there is none."""
    try:
        return services().office.residents.get(resident_id)
    except UnknownResident:
        abort(404)


def may_change() -> bool:
    """Whether the officer looks after the register."""
    return officer().role in REGISTRARS


def _to(resident_id: int) -> Response:
    return redirect(url_for("residents.page", resident_id=resident_id), 303)
