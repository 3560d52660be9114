"""Officers of a village that signs with BSrE: the passphrase on its way through the desk, and who may sign."""

import logging

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from support.desk import PASSWORD, DeskAtHand
from support.esign import EXPIRED_NIK, NIK, PASSPHRASE, EsignService, write_credentials
from support.kiosk import DEMO

from config.settings import Bsre, Signing, SigningMethod
from kiosk import cli
from kiosk.requests import RequestState

pytest_plugins = ["support.desk", "support.esign"]


@pytest.fixture
def bsre(esign, bsre_authority, tmp_path) -> Bsre:
    trust = tmp_path / "bsre.pem"
    trust.write_bytes(bsre_authority.root.public_bytes(Encoding.PEM))
    return Bsre(url=esign.url, credentials=str(write_credentials(tmp_path / "client.toml")), trust=str(trust))


@pytest.fixture
def bsre_desk(make_desk, bsre) -> DeskAtHand:
    desk = make_desk(signing=Signing(method=SigningMethod.BSRE_V2, bsre=bsre))
    desk.services.officers.set_nik("sudarman", NIK)
    desk.services.officers.set_nik("wulan", EXPIRED_NIK)
    return desk


def test_the_passphrase_goes_to_bsre_and_stays_nowhere(bsre_desk: DeskAtHand, esign: EsignService, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    number = bsre_desk.ask().number
    bsre_desk.office.requests.begin_check(number, "ratna")
    bsre_desk.office.requests.approve(number, "ratna")
    head, page, wrong = bsre_desk.browser("sudarman"), f"/permohonan/{number}", "Keliru#Kades 2026"
    answers = []
    for passphrase in (wrong, PASSPHRASE):
        assert 'name="passphrase"' in head.open(page).text
        answers.append(head.send(f"{page}/tanda-tangani", password=PASSWORD, passphrase=passphrase))
        answers.append(head.open(page))
    letter = bsre_desk.office.requests.by_number(number)
    assert letter.state is RequestState.READY
    assert esign.calls.count("/api/v2/sign/pdf") == 2

    state = bsre_desk.services.settings.state_path
    places = {str(path): path.read_bytes() for path in state.rglob("*") if path.is_file()}
    assert any(b"letter_requests" in content for content in places.values())  # the database was looked into
    places |= {f"answer {n}": answer.data + str(answer.headers).encode() for n, answer in enumerate(answers)}
    places |= {"the log": caplog.text.encode(), "the terminal": "".join(capfd.readouterr()).encode()}
    places["the letter"] = bsre_desk.office.letters.pdf(letter.id)
    assert caplog.text
    secrets = [part.encode() for each in (wrong, PASSPHRASE) for part in (each, each.split()[0])]
    assert [place for place, content in places.items() if any(secret in content for secret in secrets)] == []


def test_the_list_of_officers_says_who_may_sign(bsre_desk: DeskAtHand, bsre: Bsre, tmp_path, capsys):
    bsre_desk.services.officers.add("kosasih", "KOSASIH", "secretary", PASSWORD)
    profile = tmp_path / "hall.toml"
    profile.write_text(
        f'state_dir = "{bsre_desk.services.settings.state_dir}"\n{DEMO.read_text()}\n'
        '[signing]\nmethod = "bsre-v2"\n'
        f'[signing.bsre]\nurl = "{bsre.url}"\ncredentials = "{bsre.credentials}"\ntrust = "{bsre.trust}"\n'
    )
    assert cli.main(["officers", "--config", str(profile), "list"]) == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    said = {row[0]: row[-1] for row in rows}
    assert said["sudarman"] == "may sign"
    assert said["wulan"].startswith("SIGNING-CERTIFICATE-EXPIRED")
    assert said["kosasih"].startswith("SIGNING-NOT-REGISTERED")
    assert said["ratna"] == ""
