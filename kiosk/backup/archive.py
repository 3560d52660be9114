"""The file format: a tar of `key.age` and `contents.age`, in the age format (age-encryption.org/v1).

`contents.age` is a tar of the manifest and its parts, encrypted to an X25519 key; `key.age` is that key, encrypted with
a passphrase (scrypt). So a backup is made without the passphrase, and opened with nothing but it. Any kiosk or none:

    tar --extract --file BACKUP && age --decrypt --identity key.age contents.age | tar --extract
"""

import hashlib
import io
import os
import tarfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any

import msgspec
import pyrage
from pyrage import x25519

from kiosk.backup.errors import BackupError, WrongPassphrase

FORMAT = 1
MANIFEST, KEY, CONTENTS = "manifest.json", "key.age", "contents.age"
LONGEST_MANIFEST_BYTES = 1 << 20
LONGEST_KEY_BYTES = 1 << 16
CHUNK_BYTES = 1 << 20


class Part(msgspec.Struct, frozen=True):
    name: str
    size_bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup is of. `version` is the software's, `schema` the database's revision, `engine` its kind."""

    format: int
    version: str
    schema: str
    engine: str
    village_code: str
    profile: str
    created_at: datetime
    parts: tuple[Part, ...]


def part_of(name: str, file: Path) -> Part:
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256")
        return Part(name, content.tell(), digest.hexdigest())


# Keys.


class BackupKey(msgspec.Struct, frozen=True):
    """To whom a backup is encrypted (`recipient`, «age1…»), and the key that opens it, sealed with a passphrase."""

    recipient: str
    sealed: bytes

    @classmethod
    def new(cls, passphrase: str) -> "BackupKey":
        identity = x25519.Identity.generate()
        sealed = pyrage.passphrase.encrypt(str(identity).encode(), passphrase, armored=True)
        return cls(str(identity.to_public()), sealed)

    @classmethod
    def from_bytes(cls, content: bytes) -> "BackupKey":
        """Raises ValueError for what `to_bytes` does not make."""
        digest, _, rest = content.partition(b"\n")
        if digest.decode() != hashlib.sha256(rest).hexdigest():
            raise ValueError("it is damaged")
        recipient, _, sealed = rest.partition(b"\n")
        return cls(recipient.decode(), sealed)

    def to_bytes(self) -> bytes:
        """A damaged one would make backups that nobody can open: so its hash stands first."""
        rest = self.recipient.encode() + b"\n" + self.sealed
        return hashlib.sha256(rest).hexdigest().encode() + b"\n" + rest


# Writing.


def write(file: IO[bytes], manifest: Manifest, sources: Mapping[str, Path], key: BackupKey) -> x25519.Identity:
    """Write a backup of `sources` (part → file) into an empty file that can seek. Returns a key of this moment that
    opens it too, to read it back with. Raises OSError, and BackupError where a source changed meanwhile."""
    witness = x25519.Identity.generate()
    recipients = [x25519.Recipient.from_str(key.recipient), witness.to_public()]
    _write_member(file, KEY, key.sealed)
    header_at = file.tell()
    file.write(bytes(tarfile.BLOCKSIZE))  # its header tells its length, which is known at its end
    with _piped(
        lambda end: pyrage.encrypt_io(_Chunks(_tar(manifest, sources)), end, recipients), "it could not be sealed"
    ) as sealed:
        while chunk := sealed.read(CHUNK_BYTES):
            file.write(chunk)
    length = file.tell() - header_at - tarfile.BLOCKSIZE
    file.write(_padding(length) + bytes(2 * tarfile.BLOCKSIZE))
    file.seek(header_at)
    file.write(_header(CONTENTS, length))
    return witness


def _write_member(file: IO[bytes], name: str, content: bytes) -> None:
    file.write(_header(name, len(content)) + content + _padding(len(content)))


def _tar(manifest: Manifest, sources: Mapping[str, Path]) -> Iterator[bytes]:
    told = msgspec.json.format(msgspec.json.encode(manifest)) + b"\n"
    yield _header(MANIFEST, len(told)) + told + _padding(len(told))
    for part in manifest.parts:
        yield _header(part.name, part.size_bytes)
        left_bytes = part.size_bytes
        with sources[part.name].open("rb") as content:
            while chunk := content.read(min(CHUNK_BYTES, left_bytes)):
                left_bytes -= len(chunk)
                yield chunk
        if left_bytes:
            raise BackupError(f"{part.name} became shorter while it was read")
        yield _padding(part.size_bytes)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _header(name: str, length: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode = length, 0o600
    return info.tobuf(tarfile.GNU_FORMAT)  # POSIX's own ends at 8 GiB


def _padding(length: int) -> bytes:
    return bytes(-length % tarfile.BLOCKSIZE)


class _Chunks(io.RawIOBase):
    """A file of what an iterator gives."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._rest = chunks, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        length = min(len(buffer), len(self._rest))
        buffer[:length], self._rest = self._rest[:length], self._rest[length:]
        return length


# Reading.


def open_key(file: IO[bytes], passphrase: str) -> x25519.Identity:
    """The key of a backup. Raises WrongPassphrase, and BackupError for what is no backup."""
    sealed = sealed_key(file)
    try:
        return x25519.Identity.from_str(pyrage.passphrase.decrypt(sealed, passphrase).decode())
    except pyrage.DecryptError as error:
        # A torn header has other words; what was changed in it looks like another passphrase.
        raise WrongPassphrase(f"the passphrase is not this backup's, or its key is damaged ({error})") from None
    except (pyrage.IdentityError, ValueError) as error:
        raise BackupError(f"its key is none: {error}") from None


def sealed_key(file: IO[bytes]) -> bytes:
    """Raises BackupError for what is no backup."""
    return _member(file, KEY, LONGEST_KEY_BYTES).read()


def read(
    file: IO[bytes], identity: x25519.Identity, accept: Callable[[Manifest], None], into: Path | None = None
) -> Manifest:
    """Read a whole backup and compare every part with the manifest; keep the parts below `into` where it is given.
    `accept` sees the manifest before any part is kept. Raises BackupError for a file that is damaged, and what
    `accept` raises."""
    contents = _member(file, CONTENTS)
    with _piped(lambda end: pyrage.decrypt_io(contents, end, [identity]), "it is damaged") as plain, _damage_told():
        with tarfile.open(fileobj=plain, mode="r|") as tar:
            manifest = _manifest(tar)
            accept(manifest)
            for part in manifest.parts:
                _keep(_next(tar, part.name, part.size_bytes), part, into)
            if tar.next() is not None:
                raise BackupError("it holds more than its manifest tells")
        while plain.read(CHUNK_BYTES):  # its end is sealed too
            pass
    return manifest


def _member(file: IO[bytes], name: str, longest_bytes: int | None = None) -> IO[bytes]:
    file.seek(0)
    with _damage_told():
        tar = tarfile.open(fileobj=file, mode="r:")
        try:
            info = tar.getmember(name)
        except KeyError:
            raise BackupError("it is no backup of a kiosk, or only a part of one") from None
        return _plain_file(tar, info, longest_bytes)


def _manifest(tar: tarfile.TarFile) -> Manifest:
    told = _next(tar, MANIFEST, LONGEST_MANIFEST_BYTES).read()
    form = msgspec.json.decode(told).get("format")
    if form != FORMAT:
        raise BackupError(f"it has the format {form}, which this version does not know: a newer version made it")
    return msgspec.json.decode(told, type=Manifest)


def _next(tar: tarfile.TarFile, name: str, longest_bytes: int) -> IO[bytes]:
    info = tar.next()
    if info is None or info.name != name:
        raise BackupError(f"{name} is missing in it")
    return _plain_file(tar, info, longest_bytes)


def _plain_file(tar: tarfile.TarFile, info: tarfile.TarInfo, longest_bytes: int | None) -> IO[bytes]:
    """No link, no directory and no sparse file, which is longer than what is stored of it."""
    if not info.isreg() or info.issparse() or (longest_bytes is not None and info.size > longest_bytes):
        raise BackupError(f"{info.name} in it is no plain file, or longer than it may be")
    return tar.extractfile(info)


def _keep(content: IO[bytes], part: Part, into: Path | None) -> None:
    digest, length = hashlib.sha256(), 0
    with _new_file(into, part.name) as kept:
        while chunk := content.read(CHUNK_BYTES):
            digest.update(chunk)
            length += len(chunk)
            kept.write(chunk)
    if (length, digest.hexdigest()) != (part.size_bytes, part.sha256):
        raise BackupError(f"{part.name} in it is not what its manifest tells")


@contextmanager
def _new_file(into: Path | None, name: str) -> Iterator[IO[bytes]]:
    """A file that is on the disk when the block ends; nothing is written anywhere where `into` is None."""
    if into is None:
        yield io.FileIO(os.open(os.devnull, os.O_WRONLY), "w")
        return
    place = PurePosixPath(name)
    if place.is_absolute() or ".." in place.parts:
        raise BackupError(f"{name} in it points outside")
    path = into / place
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _damage_told() -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, msgspec.MsgspecError, EOFError) as error:
        raise BackupError(f"it is damaged, or no backup of a kiosk: {error}") from error


@contextmanager
def _piped(work: Callable[[IO[bytes]], None], otherwise: str) -> Iterator[IO[bytes]]:
    """The reading end of a pipe that `work` writes into, in a thread. Where `work` fails, BackupError begins with
    `otherwise`, whatever the block made of the half that it got."""
    reading, writing = os.pipe()
    failures: list[Exception] = []

    def run() -> None:
        with open(writing, "wb", buffering=0) as end:
            try:
                work(end)
            except Exception as error:
                failures.append(error)  # before the pipe ends: the reader then knows why

    thread = threading.Thread(target=run, name="backup")
    thread.start()
    try:
        with open(reading, "rb") as end:
            try:
                yield end
            finally:
                if failures:
                    raise BackupError(f"{otherwise}: {failures[0]}") from failures[0]
    finally:
        thread.join()
