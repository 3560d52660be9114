"""All tables. Personal fields are encrypted blobs and are found by blind indexes (`kiosk/store/vault.py`).

A change here needs a migration in `kiosk/store/migrations/versions`, and REVISION set to it; a test compares the two.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

#: The migration that this schema is at.
REVISION = "0001"


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, in UTC on both engines (SQLite keeps no zone). Refuses a naive one with ValueError."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

#: One row: what this database belongs to, so that it is not opened as something else: the fingerprint of the key that
#: it is encrypted with, and the settings' profile.
installation = Table(
    "installation",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("key_fingerprint", LargeBinary, nullable=False),
    Column("profile", String(20)),
    CheckConstraint("id = 1", name="only_one"),
)

#: The keys with which the village signs its codes (`kiosk/code_keys.py`): the public halves, kept for good, as what
#: they signed is on paper.
village_keys = Table(
    "village_keys",
    metadata,
    Column("kid", Integer, primary_key=True, autoincrement=False),  # counts from 1
    Column("public_key", LargeBinary, nullable=False),  # Ed25519, 32 bytes
    Column("made_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
)

#: The newest list of withdrawn letters of each village, this one's own included, as it was signed; and how the last
#: try to fetch it ended (`kiosk/withdrawals.py`).
withdrawal_lists = Table(
    "withdrawal_lists",
    metadata,
    Column("village_code", String(13), primary_key=True),
    Column("signed", LargeBinary),  # none where none was got yet
    Column("tried_at", UtcDateTime),
    Column("trouble", String(60), nullable=False),  # a code; empty where the last try succeeded
)

#: The last number given for each name ("queue/A/2026-11-24"); see `kiosk/store/counters.py`.
counters = Table(
    "counters",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("value", Integer, nullable=False),
)

#: Running spans of time; see `kiosk/store/timers.py`.
timers = Table(
    "timers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subject", LargeBinary, nullable=False, index=True),
    Column("length_s", Float, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
    Column("boot_id", String(40), nullable=False),
    Column("ends_s", Float, nullable=False),  # on the monotonic clock of that boot
)

residents = Table(
    "residents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("nik_index", LargeBinary, nullable=False, unique=True),
    Column("family_index", LargeBinary, index=True),  # blind index of the family card's number
    Column("personal", LargeBinary, nullable=False),  # encrypted JSON of every personal field
    Column("pin", LargeBinary),  # encrypted argon2id hash: six digits alone would fall to trying them all
    Column("added_at", UtcDateTime, nullable=False),
)

cards = Table(
    "cards",
    metadata,
    Column("uid_index", LargeBinary, primary_key=True),
    Column("resident_id", ForeignKey("residents.id"), nullable=False, index=True),
    Column("enrolled_at", UtcDateTime, nullable=False),
)

#: Residents to whom the desk has just said a code, with which they link their card and choose their PIN at the kiosk.
enrolments = Table(
    "enrolments",
    metadata,
    Column("resident_id", ForeignKey("residents.id"), primary_key=True),
    Column("code_index", LargeBinary, nullable=False, unique=True),
    Column("opened_at", UtcDateTime, nullable=False),
)

#: One row at most: the technician's PIN.
technician = Table(
    "technician",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("pin", LargeBinary, nullable=False),  # encrypted argon2id hash
    CheckConstraint("id = 1", name="only_one"),
)

#: Wrong PINs since the last right one, by the blind index of the identity, whether or not anybody has it.
pin_tries = Table(
    "pin_tries",
    metadata,
    Column("identity", LargeBinary, primary_key=True),
    Column("wrong", Integer, nullable=False),
)

#: Those who work at the desk. Their names and NIPs stand on letters and are no secret; the NIK is for BSrE alone.
officers = Table(
    "officers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("username", String(60), nullable=False, unique=True),
    Column("name", String(120), nullable=False),
    Column("nip", String(30), nullable=False),
    Column("role", String(20), nullable=False),
    Column("password", LargeBinary, nullable=False),  # encrypted argon2id hash
    Column("nik", LargeBinary),  # encrypted
    Column("active", Boolean, nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
)

officer_sessions = Table(
    "officer_sessions",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),  # a thief of the database gets no session
    Column("officer_id", ForeignKey("officers.id"), nullable=False, index=True),
    Column("began_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
)

#: What a letter says of itself (number to token, signer) is set when its number is given: before its file is signed.
letter_requests = Table(
    "letter_requests",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("number", String(20), nullable=False, unique=True),
    Column("resident_id", ForeignKey("residents.id"), nullable=False, index=True),
    Column("letter_type", String(60), nullable=False),
    Column("fields", LargeBinary, nullable=False),  # encrypted JSON
    Column("state", String(20), nullable=False),
    Column("reason", LargeBinary),  # encrypted: an officer's free text
    Column("officer", String(120)),  # the username of the one who changed it last
    Column("asked_by", String(120)),  # the officer's who asked for the resident at the desk; none for the kiosk
    Column("idempotency_key", String(120), nullable=False, unique=True),
    Column("submitted_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("letter_number", String(120), unique=True),
    Column("letter_id", String(32), unique=True),
    Column("issued_on", Date),
    Column("valid_until", Date),
    Column("token", Text),
    Column("signer_name", String(120)),
    Column("signer_nip", String(30)),
    Column("copies", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("told_at", UtcDateTime),  # when the resident was told of the letter at the kiosk
    Index(None, "state", "id"),  # a page of those in a state, in order,
)

#: Who of the chain has signed: `position` counts from 0 in the letter type's signers.
letter_signatures = Table(
    "letter_signatures",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("request_id", ForeignKey("letter_requests.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("officer", String(120), nullable=False),  # the username
    Column("signed_at", UtcDateTime, nullable=False),
    UniqueConstraint("request_id", "position"),
)

#: The signed PDFs: in the database, so that a letter and its file come and go in one transaction.
letter_files = Table(
    "letter_files",
    metadata,
    Column("request_id", ForeignKey("letter_requests.id"), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),  # encrypted
    Column("document", LargeBinary, nullable=False),  # encrypted JSON of what stands on it, for its copies
    Column("signature", String(20), nullable=False),  # whose certificate: "village" or "bsre"
    Column("document_id", String(120), nullable=False),  # BSrE's; empty for a village's own
    Column("signed_at", UtcDateTime, nullable=False),
)

#: The papers that a request needs: photographed at the kiosk, or to be brought to the desk.
requirement_papers = Table(
    "requirement_papers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("request_id", ForeignKey("letter_requests.id"), nullable=False),
    Column("requirement", String(60), nullable=False),
    Column("state", String(20), nullable=False),
    Column("photo", LargeBinary),  # encrypted JPEG
    Column("changed_at", UtcDateTime, nullable=False),
    UniqueConstraint("request_id", "requirement"),
)

#: One row: the last business day.
business_day = Table(
    "business_day",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("day", Date, nullable=False),
    CheckConstraint("id = 1", name="only_one"),
)

tickets = Table(
    "tickets",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("business_day", Date, nullable=False),
    Column("service_code", String(20), nullable=False),
    Column("serial", Integer, nullable=False),
    Column("waiting", Integer, nullable=False),  # how many were before it when it was taken
    Column("taken_at", UtcDateTime, nullable=False),
    Column("called_at", UtcDateTime),
    Column("idempotency_key", String(120), nullable=False, unique=True),
    UniqueConstraint("business_day", "service_code", "serial"),
)

print_jobs = Table(
    "print_jobs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("subject_id", Integer),  # a ticket's or a letter request's; none for a self-test
    Column("state", String(20), nullable=False),
    Column("attempt", Integer, nullable=False),  # 0 until it was first sent
    Column("printing", Integer, nullable=False),  # 1 is the first paper, 2 is "cetakan ke-2"
    Column("language", String(5), nullable=False),  # the visitor's; a letter is in Indonesian whatever it says
    Column("kiosk_id", String(32), nullable=False),  # whose printer it is for: kiosks may share one database
    Column("code", String(60), nullable=False),  # why it is held or uncertain, for the technician
    Column("idempotency_key", String(120), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Index(None, "kind", "subject_id"),
    Index(None, "state"),
)

journal = Table(
    "journal",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("event", String(60), nullable=False),
    Column("facts", JSON, nullable=False),
    # Those of the facts by which entries are looked up.
    Column("request_id", Integer, index=True),
    Column("officer", String(60), index=True),
    Column("times", Integer, nullable=False),  # more than 1 where repeats were folded into this entry
    Column("last_at", UtcDateTime, nullable=False),
)

#: How each check of the self-test came out, in the order in which they began: clocks move, ids do not.
check_results = Table(
    "check_results",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("check", String(60), nullable=False),
    Column("verdict", String(20), nullable=False),
    Column("code", String(60), nullable=False),
    Column("detail", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index(None, "check"),
)
