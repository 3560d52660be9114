"""PINs and passwords as they are kept: argon2id hashes (RFC 9106), encrypted for their place in the database."""

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from kiosk.store.vault import Vault

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
#: Verified where there is nothing to verify, so that both take equally long: a hash of a text that nobody has. Written
#: out because making it would cost the start as much as a PIN does.
_NOTHING = "$argon2id$v=19$m=19456,t=2,p=1$kvKGlKM5MouhRo3s7PC5gg$bs8/iJKHs632cGizf/OmGw85S12hS7K06md4D0LaMNs"


def sealed_hash(vault: Vault, secret: str, column: str, row: str | bytes) -> bytes:
    """What is kept of a secret; encrypted too, because six digits alone would fall to trying them all."""
    return vault.encrypt(_hasher.hash(secret), column, row)


def secret_fits(vault: Vault, sealed: bytes | None, secret: str, column: str, row: str | bytes) -> bool:
    """Whether that is the secret. Takes as long where there is none."""
    try:
        return _hasher.verify(_NOTHING if sealed is None else vault.decrypt(sealed, column, row), secret)
    except VerifyMismatchError:
        return False
