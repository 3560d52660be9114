"""Readers that yield biodata: the two formats, what each such reader promises, and programs that misbehave."""

import json
import logging
import os
import threading
import time
import traceback
from datetime import date
from pathlib import Path

import msgspec
import pytest

from hardware.card_reader.biodata import parse_csv, parse_json
from hardware.card_reader.interface import (
    Biodata,
    BiodataError,
    Card,
    CardKind,
    CardPresented,
    CardReader,
    ReadsBiodata,
)
from hardware.card_reader.program import LONGEST_OUTPUT_BYTES, CardProgram
from hardware.card_reader.sam_program import SamProgramReader
from hardware.card_reader.virtual_sam import VirtualSamReader
from hardware.device import DeviceState

NIK = "3523124107900001"
SITI = Biodata(NIK, "SITI CONTOH", date(1990, 7, 1), "TUBAN")
UID = bytes.fromhex("04A1A2A3A4A5A6")
OTHER = bytes.fromhex("04B1B2B3B4B5B6")


def as_json(**changes):
    fields = {"nik": NIK, "name": "SITI CONTOH", "birth_date": "01-07-1990", "birth_place": "TUBAN"} | changes
    return json.dumps({key: value for key, value in fields.items() if value is not None}).encode()


def as_csv(**changes):
    fields = [""] * 20
    fields[0], fields[13], fields[14] = NIK, "SITI CONTOH", "01-07-1990"
    for position, value in changes.items():
        fields[int(position.removeprefix("f"))] = value
    return ",".join(f'"{value}"' for value in fields).encode()


def code_of(call, *arguments):
    with pytest.raises(BiodataError) as caught:
        call(*arguments)
    return caught.value.code


# The formats


def test_json():
    assert parse_json(as_json()) == SITI
    assert parse_json(as_json(birth_date="1990-07-01", birth_place=None, blood="O", photo=["x"])).birth_place == ""
    assert parse_json(b"\xef\xbb\xbf  " + as_json(name="  SITI   CONTOH ") + b"\r\n") == SITI


def test_csv():
    assert parse_csv(as_csv()) == Biodata(NIK, "SITI CONTOH", date(1990, 7, 1))
    assert parse_csv(as_csv(f1='JL. ""RAYA"", RT 1', f13="D'SITI, S.PD") + b"\r\n").name == "D'SITI, S.PD"
    assert parse_csv(b",".join(as_csv().split(b",")[:15])).nik == NIK


@pytest.mark.parametrize("nothing", [b"", b" \r\n"])
def test_no_output_is_a_card_that_has_none(nothing):
    assert parse_json(nothing) is None
    assert parse_csv(nothing) is None
    assert parse_json(b"null") is None


@pytest.mark.parametrize(
    "output",
    [
        b"{", b"[]", b"{}", b"42", b'"text"', b"[" * 16_000, b"\x00", b"\xff\xfe{\x00}\x00", as_json() * 2,
        as_json(nik=None), as_json(nik=3523124107900001), as_json(nik="352312410790000"), as_json(nik=NIK + "1"),
        as_json(nik="٣523124107900001"), as_json(name=""), as_json(name="   "), as_json(name=["SITI"]),
        as_json(name="A\nB"), as_json(name="A\x1b[2J"), as_json(name="A" * 101), as_json(birth_place="\x00"),
        as_json(birth_date="31-02-1990"), as_json(birth_date="1 Juli 1990"), as_json(birth_date=""),
        as_json(birth_date=19900701), as_json(name="SITI").decode().encode("utf-16"),
    ],
)  # fmt: skip
def test_json_that_is_no_biodata(output):
    assert code_of(parse_json, output) == "BIODATA-GARBLED"


@pytest.mark.parametrize(
    "output",
    [
        b"nothing", b",".join(as_csv().split(b",")[:14]), as_csv(f0="x"), as_csv(f0=""), as_csv(f13=""),
        as_csv(f14="00-00-0000"), as_csv(f13="A\tB"), as_csv()[:-1], b'"' + as_csv(), as_csv() + b"\n" + as_csv(),
        as_csv().decode().encode("utf-16"), as_csv(f13="É").decode().encode("latin-1"), as_json(),
    ],
)  # fmt: skip
def test_csv_that_is_no_biodata(output):
    assert code_of(parse_csv, output) == "BIODATA-GARBLED"


@pytest.mark.parametrize("parse", [parse_json, parse_csv])
def test_no_error_and_no_repr_tells_personal_data(parse):
    outputs = [as_json(birth_date="x" + NIK), as_csv(f14=NIK), as_csv() + b"\nSITI", as_json() + b"SITI", b"SITI\xff"]
    for output in outputs:
        with pytest.raises(BiodataError) as caught:
            parse(output)
        told = "".join(traceback.format_exception(caught.value))  # as a log would show it, with its causes
        assert NIK not in told and "SITI" not in told
    assert repr(SITI) == "Biodata()"


# What every reader that yields biodata promises


class VirtualSamRig:
    def __init__(self, request):
        self.reader = VirtualSamReader("front", VirtualSamReader.Options())
        self.remove = self.reader.remove

    def tap(self, uid, biodata):
        self.reader.tap(Card(uid, CardKind.EKTP), biodata)

    def tap_and_fail(self, uid):
        self.reader.tap(Card(uid, CardKind.EKTP), "BIODATA-PROGRAM-FAILED")


class SamProgramRig:
    """A real pcscd, and a program that says what a file holds; without a file it fails."""

    def __init__(self, request):
        self._pcscd = request.getfixturevalue("pcscd")
        self._output = request.getfixturevalue("tmp_path") / "biodata"
        self.reader = sam_reader("cat", str(self._output))
        self.remove = self._pcscd.card.remove

    def tap(self, uid, biodata):
        fields = {} if biodata is None else msgspec.to_builtins(biodata)
        self._output.write_bytes(json.dumps(fields).encode() if fields else b"")
        self._pcscd.card.insert(uid=uid)

    def tap_and_fail(self, uid):
        self._output.unlink(missing_ok=True)
        self._pcscd.card.insert(uid=uid)


def sam_reader(*command, **more):
    options = {"command": command, "format": "json"} | more
    return SamProgramReader("front", msgspec.convert(options, SamProgramReader.Options))


@pytest.fixture(params=[VirtualSamRig, SamProgramRig], ids=["virtual_sam", "sam_program"])
def sam(request, events):
    rig = request.param(request)
    rig.reader.start(events.sink)
    try:
        events.next_status(DeviceState.READY)
        yield rig
    finally:
        rig.reader.stop()


def presented(events):
    return events.next(CardPresented).card


def test_is_a_card_reader_with_a_capability(sam):
    assert isinstance(sam.reader, CardReader) and isinstance(sam.reader, ReadsBiodata)


def test_tells_the_biodata_of_the_card_that_lies_there(sam, events):
    sam.tap(UID, SITI)
    card = presented(events)
    assert sam.reader.read_biodata(card) == SITI
    assert sam.reader.read_biodata(card) == SITI


def test_tells_none_for_a_card_that_has_none(sam, events):
    sam.tap(UID, None)
    assert sam.reader.read_biodata(presented(events)) is None


def test_tells_nothing_of_a_card_that_went_or_was_swapped(sam, events):
    sam.tap(UID, SITI)
    first = presented(events)
    sam.tap(OTHER, SITI)
    second = presented(events)
    assert code_of(sam.reader.read_biodata, first) == "BIODATA-CARD-GONE"
    sam.remove()
    wait_until(lambda: _fails(sam, second))


def _fails(sam, card):
    try:
        sam.reader.read_biodata(card)
    except BiodataError as error:
        return error.code == "BIODATA-CARD-GONE"
    return False


def wait_until(true, patience_s=5.0):
    deadline_s = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < deadline_s
        threading.Event().wait(0.02)


def test_a_failure_is_named_and_the_reader_goes_on(sam, events):
    sam.tap_and_fail(UID)
    assert code_of(sam.reader.read_biodata, presented(events)) == "BIODATA-PROGRAM-FAILED"
    sam.tap(OTHER, SITI)
    assert sam.reader.read_biodata(presented(events)) == SITI
    assert sam.reader.status.serving


def test_no_personal_data_in_events_or_logs(sam, events, caplog):
    caplog.set_level(logging.DEBUG)
    sam.tap(UID, SITI)
    told = repr(sam.reader.read_biodata(presented(events))) + repr(events.seen) + caplog.text
    assert not [secret for secret in (NIK, "SITI", "TUBAN", "1990", UID.hex()) if secret in told]


# Programs that misbehave


def run(script, timeout_s=5.0):
    return CardProgram(["/bin/sh", "-c", script], timeout_s).run()


def test_a_program_that_keeps_to_the_rules():
    assert run("printf hello; printf SECRET >&2") == b"hello"
    assert run(f"head -c {LONGEST_OUTPUT_BYTES} /dev/zero") == bytes(LONGEST_OUTPUT_BYTES)
    assert run("cat") == b""  # it has no input to wait for


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("exit 1", "BIODATA-PROGRAM-FAILED"),
        ("printf '{}'; exit 3", "BIODATA-PROGRAM-FAILED"),
        ("kill -SEGV $$", "BIODATA-PROGRAM-FAILED"),
        (f"head -c {LONGEST_OUTPUT_BYTES + 1} /dev/zero", "BIODATA-TOO-LONG"),
        ("cat /dev/zero", "BIODATA-TOO-LONG"),
    ],
)
def test_hostile_programs(script, code):
    assert code_of(run, script) == code


def test_a_program_that_is_not_there():
    assert code_of(CardProgram(["/nonexistent/sam"], 1).run) == "BIODATA-NO-PROGRAM"


@pytest.mark.parametrize(
    "script", ["sleep 60", "exec >&-; sleep 60", "while :; do printf x; sleep 0.05; done", "sleep 60 & exit 0"],
    ids=["hangs", "hangs without output", "drips", "leaves a child"],
)  # fmt: skip
def test_a_program_that_does_not_end_is_ended_with_all_it_started(script, tmp_path):
    pids = tmp_path / "pids"
    began_s = time.monotonic()
    assert code_of(run, f"echo $$ > {pids}; {script}", 0.3) == "BIODATA-TIMEOUT"
    assert time.monotonic() - began_s < 2.0
    group = int(pids.read_text())
    wait_until(lambda: group not in live_groups())


def live_groups():
    """Process groups with a process that is more than a zombie."""
    groups = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _parent, group = stat.read_text().rpartition(")")[2].split()[:3]
        except OSError:  # it ended meanwhile
            continue
        if state != "Z":
            groups.add(int(group))
    return groups


def test_nothing_is_left_of_a_thousand_bytes_and_a_failure():
    before = len(os.listdir("/proc/self/fd"))
    for script in ("exit 1", "printf x", "cat /dev/zero"):
        try:
            run(script)
        except BiodataError:
            pass
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.fixture
def sam_program(pcscd, events):
    """Starts a reader with a shell script for its program, and lays a card on it."""
    made = []

    def start(script, **more):
        reader = sam_reader("/bin/sh", "-c", script, **more)
        made.append(reader)
        reader.start(events.sink)
        events.next_status(DeviceState.READY)
        pcscd.card.insert(uid=UID)
        return reader, presented(events)

    yield start
    for reader in made:
        reader.stop()


def test_a_card_swapped_while_the_program_runs_is_not_taken_for_the_first(sam_program, pcscd, events, tmp_path):
    fifo = tmp_path / "go on"
    os.mkfifo(fifo)
    reader, card = sam_program(f"read line < '{fifo}'; printf '%s' '{as_json().decode()}'")
    codes = []
    worker = threading.Thread(target=lambda: codes.append(code_of(reader.read_biodata, card)))
    worker.start()
    with fifo.open("w") as go_on:  # returns when the program runs
        pcscd.card.insert(uid=OTHER)
        presented(events)
        go_on.write("\n")
    worker.join(5)
    assert codes == ["BIODATA-CARD-GONE"]


def test_stop_ends_a_program_that_hangs(sam_program, tmp_path):
    fifo = tmp_path / "begun"
    os.mkfifo(fifo)
    reader, card = sam_program(f"echo begun > '{fifo}'; exec cat '{fifo}'", timeout_s=30.0)
    codes = []
    worker = threading.Thread(target=lambda: codes.append(code_of(reader.read_biodata, card)))
    worker.start()
    fifo.read_text()
    reader.stop()
    worker.join(5)
    assert codes == ["BIODATA-PROGRAM-FAILED"]


def test_csv_by_the_program(sam_program):
    reader, card = sam_program(f"printf '%s' '{as_csv().decode()}'", format="csv")
    assert reader.read_biodata(card) == Biodata(NIK, "SITI CONTOH", date(1990, 7, 1))


@pytest.mark.parametrize(
    "wrong",
    [{}, {"command": []}, {"format": "xml"}, {"timeout_s": 0}, {"timeout_s": 600}, {"secret": "x"}],
    ids=str,
)
def test_refuses_wrong_options(wrong):
    options = {"command": ["x"], "format": "json"} | wrong if wrong else {}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(options, SamProgramReader.Options)
