"""Every code that a check, a driver or the spooler gives, and the table of them in the documentation.

    python -m kiosk.selftest.codes docs/technician.md

writes the table into that file anew. What to do about a code is in the catalogue (`advice_<code>`).
"""

import sys
from pathlib import Path

from kiosk.selftest.registry import advice

BEGIN, END = "<!-- codes: made by `python -m kiosk.selftest.codes` -->", "<!-- /codes -->"

MEANINGS = {
    # The kiosk itself.
    "KIOSK-ERROR": "a mistake in the kiosk ended a visit; the log has it",
    "KIOSK-RUNNING": "the running kiosk holds the device, so the command line cannot look at it",
    "VERSION-UNSUPPORTED": "Python, SQLite or Kivy is missing or not one that the kiosk is made for",
    "SETTINGS-BROKEN": "the settings file, as it is now, cannot be used",
    "TRANSLATIONS-BROKEN": "the message catalogue is not whole",
    "LETTERS-BROKEN": "a letter type's file cannot be used; that letter is not on offer",
    "DATABASE-BROKEN": "the database or its key cannot be used",
    "DISK-FULL": "less than 500 MB is left for the database",
    "BACKUP-NEVER": "no backup was ever made: what happens to the disk happens to all letters",
    "BACKUP-OLD": "the last backup is more than two days old, or a month where they are made by hand",
    "BACKUP-SAME-DISK": "backups land on the disk that the database is on, or their own disk is not mounted",
    "CLOCK-NOT-KEPT": "nothing keeps the clock right",
    "CLOCK-APART": "the server's clock and the kiosk's differ by more than a minute",
    "SERVER-NO-ANSWER": "nothing answers at `server.url` within five seconds",
    "SERVER-CERTIFICATE": "what answers there cannot prove that it is the server, or one of the clocks is wrong",
    "SERVER-CAPTIVE-PORTAL": "the network answers instead of the server, and wants a login",
    "SERVER-ERROR": "the server answers that it is broken",
    # Signing letters.
    "SIGNING-NO-KEY": "the village has no key for signing letters",
    "SIGNING-KEY-BROKEN": "the village's key for signing letters cannot be used, or others than its owner can read it",
    "SIGNING-SETUP": "a file that signing by BSrE needs (credentials, trusted certificates) cannot be used",
    "SIGNING-WRONG-PASSPHRASE": "BSrE does not take the officer's passphrase",
    "SIGNING-NOT-REGISTERED": "BSrE does not know the officer's NIK, or the kiosk does not",
    "SIGNING-MAY-NOT-SIGN": "BSrE knows the officer, and the certificate may not sign: not issued yet, or revoked",
    "SIGNING-CERTIFICATE-ENDS": "a certificate for signing is valid for less than 30 days more",
    "SIGNING-CERTIFICATE-EXPIRED": "the certificate of whoever signs is no longer valid",
    "SIGNING-NO-ANSWER": "BSrE's service cannot be reached, or did not answer whole in time",
    "SIGNING-SERVER-CERTIFICATE": "what answers at `signing.bsre.url` cannot prove that it is the service",
    "SIGNING-SERVER-ERROR": "BSrE's service answers that it is broken",
    "SIGNING-CLIENT-REFUSED": "BSrE's service does not take the client's name and secret",
    "SIGNING-REFUSED": "BSrE's service refuses, with a number that the detail tells",
    "SIGNING-BAD-ANSWER": "what answers at `signing.bsre.url` does not answer as BSrE's service does",
    "SIGNING-UNPRINTABLE": "the register or an answer has characters that no letter can show; the log has them",
    "SIGNING-UNREADABLE-PDF": "the letter could not be read as a PDF; the log has it",
    "SIGNING-BAD-SIGNATURE": "what came back as the signed letter is not the letter, or its signature does not hold",
    # Codes on letters.
    "VILLAGE-KEY-BROKEN": "there is no key of the village here to sign codes with, or its file is another's",
    "VILLAGE-KEY-ELSEWHERE": "the file of the village's newest key is not on this kiosk, so it signs with an older one",
    "TRUSTED-VILLAGE-BROKEN": "another village's public file, as the settings name it, cannot be used",
    "WITHDRAWALS-MISSING": "no list of another village's withdrawn letters has come yet",
    "WITHDRAWALS-OLD": "the newest list of another village's withdrawn letters is old",
    "WITHDRAWALS-NO-ANSWER": "the last list that came is old or there is none, and its server does not answer",
    "WITHDRAWALS-NO-LIST": "what its server answers is no list that the village signed",
    "WITHDRAWALS-KEY-UNKNOWN": "the list is signed with a key that the village's public file does not have",
    "WITHDRAWALS-OUTDATED": "its server gives out a list that is older than the one that is here",
    # Checks.
    "CHECK-ABANDONED": "a check was begun and not ended: the technician left, or the power did",
    "CHECK-GIVEN-UP": "the technician gave up",
    "CHECK-BROKEN": "the check itself failed; the log has it",
    "TOUCH-NOT-EVERYWHERE": "a part of the panel did not answer to the finger",
    "SCREEN-NOT-EVEN": "the technician saw dead dots, lines or patches",
    # Card reader.
    "CARD-SERVICE-DOWN": "pcscd does not run",
    "CARD-SERVICE-REFUSED": "pcscd does not let the kiosk's user in",
    "CARD-READER-ABSENT": "no card reader is there",
    "CARD-READER-SICK": "the reader answers with an error that it should not have",
    "CARD-READER-STUCK": "a card that lies there keeps the reader from seeing others",
    "CARD-READER-NO-PERMISSION": "the kiosk's user may not open the keyboard reader",
    "CARD-READER-NOT-A-KEYBOARD": "the settings name a device that is not a keyboard reader",
    "CARD-READER-TAKEN": "another program holds the keyboard reader",
    "CARD-READER-NO-ANSWER": "the reader does not say how it is",
    "CARD-READER-DRIVER": "the driver itself failed; the log has it",
    "CARD-MUTE": "a card lies there and does not answer",
    "CARD-TORN": "the card was taken away too early",
    "CARD-TAKEN-AWAY": "the card was taken away while it was read",
    "CARD-UNRECOGNISED": "what lies there is no card that the reader understands",
    "CARD-REFUSED": "the card refused a command",
    "CARD-NO-UID": "the reader or the card gives no number",
    "CARD-NOT-A-NUMBER": "what a keyboard reader typed is no card's number",
    "CARD-IN-USE": "another program uses the card",
    "BIODATA-CARD-GONE": "the card was taken away before its biodata was read",
    "BIODATA-TIMEOUT": "the SAM reader's program did not end in time",
    "BIODATA-NO-PROGRAM": "the SAM reader's program could not be started",
    "BIODATA-PROGRAM-FAILED": "the SAM reader's program failed",
    "BIODATA-TOO-LONG": "the SAM reader's program said far more than biodata is",
    "BIODATA-GARBLED": "what the SAM reader's program said is not biodata",
    # Code scanner.
    "SCANNER-ABSENT": "no scanner or camera is there",
    "SCANNER-NO-PERMISSION": "the kiosk's user may not open it",
    "SCANNER-NOT-A-KEYBOARD": "the settings name a device that is not a keyboard scanner",
    "SCANNER-TAKEN": "another program holds it",
    "SCANNER-NO-DECODER": "no library that reads codes is installed",
    "SCANNER-NO-PICAMERA2": "the library of a Raspberry Pi's camera module is not installed",
    "SCANNER-DECODER": "the reading of pictures broke down, and is started again",
    "SCANNER-SANDBOX": "the reading of pictures could not be shut off from the rest of the machine",
    "SCANNER-NO-PHOTO": "the camera took no photo of a paper in time",
    "SCANNER-LAYOUT": "the scanner types with another keyboard layout than the kiosk's",
    "SCANNER-OVERRUN": "the scanner typed faster than it could be read",
    "SCANNER-HALF-CODE": "a code came only in part",
    "SCANNER-PART-OF-CODE": "one of several codes that belong together: not one of ours",
    "SCANNER-TOO-LONG": "what came is longer than a QR code can be",
    "SCANNER-OTHER-CODE": "a code was read, and not the one that had just been printed",
    "CODE-SCANNER-NO-ANSWER": "the scanner does not say how it is",
    "CODE-SCANNER-DRIVER": "the driver itself failed; the log has it",
    # Receipt printer.
    "PRINTER-NONE": "this hall has no printer",
    "PRINTER-ABSENT": "nothing answers at its address, or the cable is out",
    "PRINTER-CONNECTION-LOST": "it was there and went: reset, power, cable",
    "PRINTER-PERMISSION": "the kiosk's user may not open the device file",
    "PRINTER-BUSY-PORT": "another program holds the port",
    "PRINTER-WRONG-PATH": "what the settings name is no printer",
    "PRINTER-SEVERAL": "two USB printers fit the address",
    "PRINTER-PORT": "the port opened and then failed; the detail tells how",
    "PRINTER-NO-ANSWER": "asked and silent: nothing is known",
    "PRINTER-PAPER-OUT": "the paper is at its end",
    "PRINTER-PAPER-NEAR-END": "little paper is left; it still prints",
    "PRINTER-COVER-OPEN": "the cover is open",
    "PRINTER-CUTTER": "the cutter is jammed",
    "PRINTER-ERROR": "another error that the printer reports, such as a hot head",
    "PRINTER-OFFLINE": "off line, for no cause that it tells",
    "PRINTER-STOPPED": "the kiosk was being shut down while it printed",
    "PRINTER-DRIVER": "the driver itself failed; the log has it",
    "PRINTER-BAD-PRINT": "the technician found the print not good",
    "PRINTER-NOT-CUT": "the technician saw that the paper was not cut",
    "PRINT-CONFIRMED-BY-PERSON": "somebody saw that an uncertain paper came out",
    "PRINT-INTERRUPTED": "the power went or the kiosk ended while it printed: nobody knows whether it is on paper",
    "PRINT-NO-LAYOUT": "the paper could not be laid out; the log has it",
    "PRINT-NOT-WANTED": "its visitor did not want to wait for the paper",
    "PRINT-OWNER-LEFT": "its visitor left, so it must not come out for the next",
    "PRINT-TOO-LATE": "the printer could not for so long that nobody waits for this paper any more",
    # A4/F4 printer.
    "PAGE-PRINTER-ABSENT": "nobody listens at its address",
    "PAGE-PRINTER-NO-ANSWER": "it listens, and did not answer in time",
    "PAGE-PRINTER-BAD-ANSWER": "what answers there is not a printer or a print service",
    "PAGE-PRINTER-NO-QUEUE": "the print service knows no queue of that name",
    "PAGE-PRINTER-REFUSED": "the kiosk may not print there",
    "PAGE-PRINTER-REJECTS": "the queue takes no jobs",
    "PAGE-PRINTER-PAUSED": "the queue was stopped, and the kiosk may not resume it",
    "PAGE-PRINTER-OFFLINE": "the print service does not reach the printer",
    "PAGE-PRINTER-PAPER-OUT": "the paper is at its end",
    "PAGE-PRINTER-PAPER-NEAR-END": "little paper is left",
    "PAGE-PRINTER-PAPER-SIZE": "it cannot take the paper size that the settings name",
    "PAGE-PRINTER-JAM": "paper is stuck in it",
    "PAGE-PRINTER-COVER-OPEN": "a cover is open",
    "PAGE-PRINTER-TRAY-MISSING": "a tray is out",
    "PAGE-PRINTER-OUTPUT-FULL": "nobody took the papers away",
    "PAGE-PRINTER-INK-OUT": "ink or toner is at its end",
    "PAGE-PRINTER-INK-LOW": "little ink or toner is left",
    "PAGE-PRINTER-ERROR": "another error that it reports",
    "PAGE-PRINTER-NO-PDF": "it does not take PDF",
    "PAGE-PRINTER-JOB-ENDED": "somebody or something else than the kiosk cancelled the job",
    "PAGE-PRINTER-ONLY-SENT": "the queue tells when a job was sent, not when it is on paper",
    "PAGE-PRINTER-STUCK": "a job does not move, for no reason that it tells",
    "PAGE-PRINTER-STOPPED": "the kiosk was being shut down while it printed",
    "PAGE-PRINTER-DRIVER": "the driver itself failed; the log has it",
    # Loudspeaker.
    "SPEAKER-ABSENT": "there is nothing to play on",
    "SPEAKER-NO-VOICE": "espeak-ng is not installed",
    "SPEAKER-NO-PLAYER": "aplay is not installed",
    "SPEAKER-NO-ANSWER": "the loudspeaker's driver takes no sound, or does not say how it is",
    "SPEAKER-DRIVER": "the driver itself failed; the log has it",
    "SPEAKER-NOT-HEARD": "the technician did not hear the sentence well",
    # The machine.
    "MACHINE-HOT": "80 °C and more: it slows itself down",
    "MACHINE-THROTTLED": "it runs slower than it can, from heat or a weak power supply",
    "MACHINE-ON-BATTERY": "the power is out and the battery serves",
    "MACHINE-DISK-LOW": "less than 1 GiB is left",
    "MACHINE-DISK-FULL": "less than 100 MiB is left: the kiosk can hardly write",
    "MACHINE-NO-DISK": "the directory that the settings name is not there",
    "MACHINE-MEMORY-LOW": "less than 64 MiB of memory is free",
    "MACHINE-NETWORK-DOWN": "no cable and no radio link is there",
    "MACHINE-NO-ANSWER": "its sensors could not be read",
    "MACHINE-DRIVER": "the driver itself failed; the log has it",
}


def table() -> str:
    """The codes as a Markdown table."""
    lines = ["| code | what it means | what to do |", "|---|---|---|"]
    for code, meaning in MEANINGS.items():
        lines.append(f"| `{code}` | {meaning} | {advice('en', code)}<br>*{advice('id', code)}* |")
    return "\n".join(lines)


def with_table(text: str) -> str:
    """The documentation's text with the table between its marks made anew. Raises ValueError where they are not."""
    before, _, rest = text.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"the text has no {BEGIN} … {END}")
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    file = Path(sys.argv[1])
    file.write_text(with_table(file.read_text("utf-8")), "utf-8")
