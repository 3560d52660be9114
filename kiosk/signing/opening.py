"""The signer that the settings name."""

from config.settings import Settings, SigningMethod
from config.translations import say
from kiosk.clock import Clock
from kiosk.signing.bsre import BsreSealer, BsreV1Signer, BsreV2Signer
from kiosk.signing.interface import PdfSigner
from kiosk.signing.verification import Trust
from kiosk.signing.village import VillageSigner


def open_pdf_signer(settings: Settings, clock: Clock) -> PdfSigner:
    """Reads no file and asks no server yet, so it never fails: what is missing is told when something is signed, and a
    key that is made meanwhile serves at once."""
    signing, village, trust = settings.signing, settings.village.name, Trust(settings, clock)
    match signing.method:
        case SigningMethod.VILLAGE:
            sentence = signing.sentence or say("id", "signed_by_village", village=village)
            return VillageSigner(settings, sentence, clock, trust)
        case SigningMethod.BSRE_V2 if signing.bsre.seal:
            return BsreSealer(signing.bsre, village, signing.sentence or say("id", "sealed_by_bsre"), trust)
        case SigningMethod.BSRE_V1 | SigningMethod.BSRE_V2:
            kind = BsreV1Signer if signing.method is SigningMethod.BSRE_V1 else BsreV2Signer
            return kind(signing.bsre, village, signing.sentence or say("id", "signed_by_bsre"), trust)
