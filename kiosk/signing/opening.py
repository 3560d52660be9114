"""The signer that the settings name."""

from config.settings import Settings, SigningMethod
from config.translations import say
from kiosk.clock import Clock
from kiosk.signing.interface import PdfSigner
from kiosk.signing.verification import Trust
from kiosk.signing.village import VillageSigner


def open_pdf_signer(settings: Settings, clock: Clock) -> PdfSigner:
    """Reads no file and asks no server yet, so it never fails: what is missing is told when something is signed, and a
    key that is made meanwhile serves at once."""
    match settings.signing.method:
        case SigningMethod.VILLAGE:
            sentence = settings.signing.sentence or say("id", "signed_by_village", village=settings.village.name)
            return VillageSigner(settings, sentence, clock, Trust(settings, clock))
