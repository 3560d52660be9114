"""A hall's machine dies: what was backed up beside the running kiosk serves on another, and nothing personal lay about
in the meantime."""

import re
from pathlib import Path

from support.kiosk import MADE_AGAIN
from support.personal import personal_in
from support.running_kiosk import RunningKiosk, command

from kiosk.demo import SECRETS
from kiosk.demo.village import DEMO_PASSWORD
from kiosk.store.state_files import KEPT

PASSPHRASE = "jati randu asem kelor"


def ask_for_a_letter(kiosk: RunningKiosk, resident: str) -> str:
    """Its number, once the officer has signed it."""
    kiosk.do("tap", resident)
    kiosk.type_pin()
    kiosk.do("take-card")
    kiosk.touch("domisili", "suggestion:Melamar pekerjaan", "desk:pengantar_rt", "desk:kk", "send")
    kiosk.see("done")
    kiosk.touch("done")
    kiosk.see("start")
    ((number,),) = kiosk.rows("SELECT number FROM letter_requests ORDER BY id DESC LIMIT 1")
    kiosk.sign(number)
    return number


def limits(kiosk: RunningKiosk) -> str:
    return Path(f"/proc/{kiosk.process.pid}/limits").read_text("ascii")


def test_a_kiosk_goes_on_from_its_backup_on_another_machine(make_kiosk, demo_kiosk, tmp_path):
    backup = tmp_path / "backup.tar"
    kiosk = demo_kiosk.start()
    assert re.search(r"Max core file size +0 +0 ", limits(kiosk)), "a crash would leave a visit in a core file"
    number = ask_for_a_letter(kiosk, "budi")
    made = command("backup", "--demo", "--state", kiosk.state, backup, input=f"{PASSPHRASE}\n")
    assert (made.returncode, made.stderr) == (0, ""), made.stderr
    ((code,),) = kiosk.rows("SELECT token FROM letter_requests WHERE number = ?", number)
    kiosk.kill()

    left = {str(path.relative_to(kiosk.state)): path.read_bytes() for path in kiosk.state.rglob("*") if path.is_file()}
    assert {name.split("/")[0] for name in left} <= {"kiosk.sqlite", *KEPT, *MADE_AGAIN}
    assert {"kiosk.sqlite-wal", "signing/root.pem"} <= left.keys()
    left |= {
        "the backup": backup.read_bytes(),
        "the log": kiosk.log.replace(SECRETS, "").encode(),
        "what it said": made.stdout.encode(),
    }
    assert {name: personal_in(data) for name, data in left.items()} == dict.fromkeys(left, set())
    secrets = (PASSPHRASE.encode(), DEMO_PASSWORD.encode())
    assert [name for name, data in left.items() if any(secret in data for secret in secrets)] == []

    other = make_kiosk()
    back = command("restore", "--demo", "--state", other.state, backup, input=f"{PASSPHRASE}\n")
    assert (back.returncode, back.stderr) == (0, ""), back.stderr
    other.start().touch("start", "check")
    other.see("view:scan")
    other.do("show-qr", code)
    other.see("again")
    assert "domisili" in other.read().lower()
    other.touch("done")
    other.see("start")
    other.do("tap", "budi")
    other.type_pin()
    other.do("take-card")
    other.touch("continue", number)
    other.see("print")
    assert other.stop() == 0
