"""Residents from files as villages have them."""

import threading
import tracemalloc
from dataclasses import replace
from datetime import date

import pytest
from support.clock import FakeClock

from kiosk import cli
from kiosk.register_import import (
    BATCH,
    LONGEST_LINE,
    MOST_COLUMNS,
    MOST_LINES,
    MOST_TOLD,
    Line,
    Outcome,
    Report,
    UnusableFile,
    import_residents,
)
from kiosk.residents import Residents
from kiosk.store.store import Store

pytest_plugins = ["support.databases", "support.kiosk"]

TODAY = date(2026, 11, 24)
HEAD = "NIK;Nama;Tempat Lahir;Tanggal Lahir;Jenis Kelamin;Alamat;RT;RW;No. KK;SHDK"
SITI = "3523124110799101;SITI ROHMAH;TUBAN;01-10-1979;P;DUSUN KRAJAN;1;2;3523120101109101;KEPALA KELUARGA"


@pytest.fixture
def residents(store: Store) -> Residents:
    return Residents(store, FakeClock(), "kiosk-1")


def imported(residents: Residents, *lines: str, head: str = HEAD, encoding: str = "utf-8", dry: bool = False):
    told = []
    import_residents("\r\n".join((head, *lines)).encode(encoding), residents, TODAY, told.append, dry=dry)
    return told


def test_a_line_becomes_a_resident(residents):
    assert imported(residents, SITI) == [Line(2, Outcome.ADDED)]
    siti = residents.by_nik("3523124110799101")
    assert (siti.name, siti.birth_date, siti.sex, siti.rt, siti.rw) == (
        "SITI ROHMAH", date(1979, 10, 1), "PEREMPUAN", "001", "002",
    )  # fmt: skip
    assert siti.is_family_head and siti.family_number == "3523120101109101" and siti.citizenship == "WNI"


def test_the_same_file_again_changes_nothing_and_another_what_differs(residents):
    imported(residents, SITI)
    siti = residents.by_nik("3523124110799101")
    assert imported(residents, SITI) == [Line(2, Outcome.UNCHANGED)]
    assert imported(residents, SITI.replace("KRAJAN", "MLANGI")) == [Line(2, Outcome.CHANGED)]
    changed = residents.by_nik("3523124110799101")
    assert (changed.id, changed.address) == (siti.id, "DUSUN MLANGI")


def test_a_column_that_is_not_there_changes_nothing_and_an_empty_cell_empties(residents):
    imported(residents, f"{SITI};ISLAM;WNA", head=f"{HEAD};Agama;Kewarganegaraan")
    siti = residents.by_nik("3523124110799101")
    required = SITI.rsplit(";", 4)[0]
    head = HEAD.rsplit(";", 4)[0]
    assert imported(residents, required, head=head) == [Line(2, Outcome.UNCHANGED)]
    assert imported(residents, required.replace("KRAJAN", "MLANGI"), head=head) == [Line(2, Outcome.CHANGED)]
    assert residents.by_nik(siti.nik) == replace(siti, address="DUSUN MLANGI")
    imported(residents, f"{required};;", head=f"{head};Agama;RT")
    assert residents.by_nik(siti.nik) == replace(siti, religion="", rt="")
    new = required.replace(siti.nik, "3523124110799102")
    assert imported(residents, new, head=head) == [Line(2, Outcome.ADDED)]
    assert residents.by_nik("3523124110799102").citizenship == "WNI"


def test_a_dry_run_says_the_same_and_writes_nothing(residents):
    assert imported(residents, SITI, dry=True) == [Line(2, Outcome.ADDED)]
    assert residents.all() == []


@pytest.mark.parametrize(
    ("old", "new", "column", "reason"),
    [
        ("3523124110799101", "352312411079910", "nik", "16 angka"),
        ("3523124110799101", "3523124110790000", "nik", "0000"),
        ("3523124110799101", "9923124110799101", "nik", "provinsi"),
        ("3523124110799101", "3,52312E+15", "nik", "rusak"),
        ("3523124110799101", "", "nik", "kosong"),
        ("01-10-1979", "31-02-1979", "tanggallahir", "bukan tanggal"),
        ("01-10-1979", "01-10-2079", "tanggallahir", "tidak mungkin"),
        (";P;", ";X;", "jeniskelamin", "L atau P"),
        (";1;2;", ";1234;2;", "rt", "3 angka"),
        ("3523120101109101", "35231201011", "nokk", "16 angka"),
        ("SITI ROHMAH", " ", "nama", "kosong"),
        ("SITI ROHMAH", "SITI \U0001f600", "nama", "tidak dapat dicetak"),
    ],
)
def test_a_wrong_line_is_told_and_the_others_are_imported(residents, old, new, column, reason):
    good = SITI.replace("3523124110799101", "3523124110799102")
    wrong, right = imported(residents, SITI.replace(old, new, 1), good)
    assert (wrong.number, wrong.outcome, wrong.column) == (2, Outcome.REFUSED, column) and reason in wrong.reason
    assert right == Line(3, Outcome.ADDED)
    assert len(residents.all()) == 1
    assert not (new.strip() and new in wrong.reason)  # what it says of a person is not repeated


def test_a_nik_that_does_not_fit_its_owner_is_imported_with_a_doubt(residents):
    [line] = imported(residents, SITI.replace(";P;", ";L;"))
    assert line.outcome is Outcome.ADDED and "tidak cocok" in line.reason


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_every_usual_encoding_is_read(residents, encoding):
    imported(residents, SITI.replace("ROHMAH", "ROHMÉ"), encoding=encoding)
    assert residents.by_nik("3523124110799101").name == "SITI ROHMÉ"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_every_usual_separator_is_read(residents, delimiter):
    lines = [line.replace(";", delimiter) for line in (HEAD, SITI)]
    assert imported(residents, lines[1], head=lines[0]) == [Line(2, Outcome.ADDED)]


def test_a_quoted_cell_may_hold_a_line_end_and_empty_lines_are_nothing(residents):
    lines = imported(residents, SITI.replace("DUSUN KRAJAN", '"DUSUN\r\nKRAJAN"'), "", ";;;;;;;;;", "x")
    assert [(line.number, line.outcome) for line in lines] == [(2, Outcome.ADDED), (6, Outcome.REFUSED)]
    assert residents.by_nik("3523124110799101").address in ("DUSUN  KRAJAN", "DUSUN KRAJAN")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "Baris pertama"),
        (b"NIK;Nama\n1;2\n", "tempatlahir"),
        (b"NIK;NIK\n", "Dua kolom"),
        (b"PK\x03\x04\x00\x00", "CSV"),
        (f'{HEAD}\n{SITI}\n"{SITI}\n'.encode(), "bukan CSV"),
        (f"{HEAD}\n{SITI}\n".encode() + b"1\n" * MOST_LINES, "lebih dari 100000 baris"),
        (f"{HEAD}{';x' * MOST_COLUMNS}\n{SITI}\n".encode(), "lebih dari 200 kolom"),
        (f"{HEAD}\n{SITI}\n{';' * LONGEST_LINE}\n".encode(), "Baris 3: terlalu panjang"),
    ],
)
def test_a_file_that_is_no_register_is_refused_whole(residents, data, reason):
    with pytest.raises(UnusableFile, match=reason):
        import_residents(data, residents, TODAY, lambda line: None)
    assert residents.all() == []


def test_a_long_file_is_imported_in_batches(residents):
    people = [SITI.replace("9101;", f"{serial};", 1) for serial in range(1001, 1002 + BATCH)]
    assert len(imported(residents, *people)) == BATCH + 1 == len(residents.all())


def test_a_file_of_wrong_lines_takes_no_more_memory_than_its_report(residents):
    """And no transaction: nothing of it can be written."""
    data, report = f"{HEAD}\n".encode() + b"1\n" * (MOST_LINES - 1), Report()
    residents.put_all = None
    tracemalloc.start()
    import_residents(data, residents, TODAY, report.add)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert report.counts == {Outcome.REFUSED: MOST_LINES - 1}
    assert (len(report.told), report.more) == (MOST_TOLD, MOST_LINES - 1 - MOST_TOLD)
    assert peak_bytes < 4_000_000


def test_a_dry_run_does_not_hold_up_who_writes(residents, store):
    told = []

    def dry_run() -> None:
        import_residents(f"{HEAD}\n{SITI}".encode(), residents, TODAY, told.append, dry=True)

    with store.write():
        looking = threading.Thread(target=dry_run)
        looking.start()
        looking.join(20)
        assert told == [Line(2, Outcome.ADDED)]


def test_the_command_says_what_became_of_each_line(settings, tmp_path, capsys):
    file = tmp_path / "penduduk.csv"
    file.write_text("\n".join((HEAD, SITI, SITI.replace(";P;", ";X;"))))
    run = ["residents", "--demo", "--state", settings.state_dir, "import", str(file)]
    assert cli.main([*run, "--dry-run"]) == 1
    assert capsys.readouterr().out == (
        "line 3: refused: jeniskelamin: harus L atau P\n1 added, 0 changed, 0 unchanged, 1 refused\n"
    )
    assert cli.main(run) == 1
    file.write_text("\n".join((HEAD, SITI)))
    assert cli.main(run) == 0
    assert capsys.readouterr().out.endswith("0 added, 0 changed, 1 unchanged, 0 refused\n")


def test_the_command_names_a_file_that_is_not_there(settings, tmp_path, capsys):
    assert cli.main(["residents", "--demo", "--state", settings.state_dir, "import", str(tmp_path / "x.csv")]) == 1
    assert "x.csv" in capsys.readouterr().err
