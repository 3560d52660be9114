"""What the kiosk and its decoding process say to each other: one packet each way per order, on a SOCK_SEQPACKET pair.

An order is one letter and, for a picture, its size; an answer is one letter and, for a code, its bytes, or for a
picture, its size. Pictures themselves are plain pixels in a file in memory (memfd_create(2)) whose descriptor comes
with the order. There is nothing to parse on the kiosk's side, since the answers come from a process that strangers'
pictures went into.
"""

from enum import Enum

from hardware.code_scanner.interface import FRAME_PX, LONGEST_PAYLOAD

#: Open what is looked at, and confine yourself.
OPEN = b"o"
#: Look once. For a picture that is handed over: followed by `PICTURE_SIZE`, with the picture as a file descriptor.
LOOK = b"l"
#: Write what is seen, made small, into the file.
WATCH = b"w"
#: Write what is seen into the file and judge it. A picture that is handed over: followed by `PICTURE_SIZE`, is there
#: already.
PHOTOGRAPH = b"p"
#: `struct` format of a picture's width and height in pixels; its bytes are grey to LOOK at, else RGB, row by row.
PICTURE_SIZE = "!HH"
LONGEST_ORDER = 8
#: A side of a picture is no longer.
LONGEST_SIDE_PX = 4096
LARGEST_PICTURE_BYTES = 3 * LONGEST_SIDE_PX * LONGEST_SIDE_PX


class Answer(Enum):
    READY = b"r"  # unasked, once: the libraries are there and work
    NO_DECODER = b"d"  # in place of READY: a library is missing
    NO_PICAMERA2 = b"i"  # in place of OPENED: the camera module's library is missing
    UNCONFINED = b"u"  # in place of OPENED: this system does not let the process confine itself
    OPENED = b"o"
    ABSENT = b"a"  # no frame comes
    STILL = b"s"  # nothing moved: not worth decoding
    NOTHING = b"n"  # no code
    CODE = b"c"  # followed by the payload
    PART = b"p"  # one part of a structured-append code
    ERROR = b"e"  # a decoder raised
    # All followed by the size of the picture that is in the file:
    FRAME = b"f"
    PHOTO = b"g"
    DARK = b"k"
    BLURRED = b"b"
    EMPTY = b"y"
    LOST = b""  # never sent: the process died or hung over this order


#: What may be answered to an order for a picture, and how large the picture then is at most.
PICTURES = {
    WATCH: ({Answer.FRAME}, FRAME_PX),
    PHOTOGRAPH: ({Answer.PHOTO, Answer.DARK, Answer.BLURRED, Answer.EMPTY}, (LONGEST_SIDE_PX, LONGEST_SIDE_PX)),
}
#: No longer packet is taken: one letter and a payload, and one byte more that tells a payload that is too long.
LONGEST_ANSWER = 1 + LONGEST_PAYLOAD + 1
