"""The village signs with its own key, without a network.

That proves who issued a letter and that nothing in it was changed since. It is not a certified electronic signature, so
these letters never speak of TTE or BSrE.
"""

from datetime import datetime

from config.settings import Settings
from kiosk.clock import Clock
from kiosk.officers import Officer
from kiosk.signing.interface import (
    BadSignature,
    Passphrase,
    PdfSigner,
    SignatureKind,
    SignedPdf,
    SignerStatus,
    SigningError,
    Verification,
)
from kiosk.signing.pdf_keys import load_root_certificate, load_signer
from kiosk.signing.verification import Trust, check_signatures


class VillageSigner(PdfSigner):
    kind = SignatureKind.VILLAGE
    needs_passphrase = False

    def __init__(self, settings: Settings, sentence: str, clock: Clock, trust: Trust) -> None:
        self.sentence = sentence
        self._settings, self._clock, self._trust = settings, clock, trust

    def sign(self, pdf: bytes, officer: Officer, nik: str, passphrase: Passphrase) -> SignedPdf:
        """See `PdfSigner.sign`. The key is the village's; the officer's name stands in the signature."""
        from kiosk.signing.pades import sign_pades

        signer = load_signer(self._settings, self._clock.now())
        location = f"Desa {self._settings.village.name}"
        return SignedPdf(sign_pades(pdf, signer, officer.name, location, "Surat desa"), self.kind)

    def check(self) -> datetime:
        root = load_root_certificate(self._settings)
        signer = load_signer(self._settings, self._clock.now())
        return min(root.not_valid_after_utc, signer.certificate.not_valid_after_utc)

    def status(self, nik: str) -> SignerStatus:
        try:
            self.check()
        except SigningError as error:
            return SignerStatus(error)
        return SignerStatus()

    def verify(self, pdf: bytes) -> Verification:
        """What a file says of itself that the village may have signed."""
        try:
            return Verification(True, check_signatures(pdf, self._trust, self.kind), "VALID")
        except BadSignature as error:
            return Verification(False, 0, error.detail)
