"""Every code a page printer's status or result can carry; there is no other. They are for the technician, so they are
stable and appear in the documentation and in the log."""

from enum import StrEnum


class PagePrinterCode(StrEnum):
    ABSENT = "PAGE-PRINTER-ABSENT"  # nobody listens at that address
    NO_ANSWER = "PAGE-PRINTER-NO-ANSWER"  # it listens, and did not answer in time
    BAD_ANSWER = "PAGE-PRINTER-BAD-ANSWER"  # what came back is no IPP, or half of it
    NO_QUEUE = "PAGE-PRINTER-NO-QUEUE"  # the print service knows no queue of that name
    REFUSED = "PAGE-PRINTER-REFUSED"  # the kiosk may not print there
    REJECTS = "PAGE-PRINTER-REJECTS"  # the queue takes no jobs
    PAUSED = "PAGE-PRINTER-PAUSED"  # the queue was stopped, and the kiosk may not resume it
    OFFLINE = "PAGE-PRINTER-OFFLINE"  # the print service does not reach the printer
    PAPER_OUT = "PAGE-PRINTER-PAPER-OUT"
    PAPER_NEAR_END = "PAGE-PRINTER-PAPER-NEAR-END"
    PAPER_SIZE = "PAGE-PRINTER-PAPER-SIZE"  # it cannot take the size that the settings name
    JAM = "PAGE-PRINTER-JAM"
    COVER_OPEN = "PAGE-PRINTER-COVER-OPEN"
    TRAY_MISSING = "PAGE-PRINTER-TRAY-MISSING"
    OUTPUT_FULL = "PAGE-PRINTER-OUTPUT-FULL"
    INK_OUT = "PAGE-PRINTER-INK-OUT"  # ink or toner
    INK_LOW = "PAGE-PRINTER-INK-LOW"
    ERROR = "PAGE-PRINTER-ERROR"  # any other error that it reports
    NO_PDF = "PAGE-PRINTER-NO-PDF"  # it does not take PDF
    JOB_ENDED = "PAGE-PRINTER-JOB-ENDED"  # the job was cancelled or given up, and not by the kiosk
    ONLY_SENT = "PAGE-PRINTER-ONLY-SENT"  # the queue says when a job was sent, not when it is on paper
    STUCK = "PAGE-PRINTER-STUCK"  # a job that does not move, for no reason that it tells
    STOPPED = "PAGE-PRINTER-STOPPED"  # the kiosk itself was being shut down
