"""Every code a printer's status or result can carry; there is no other. They are for the technician, so they are
stable and appear in the documentation and in the log."""

from enum import StrEnum


class PrinterCode(StrEnum):
    ABSENT = "PRINTER-ABSENT"  # nothing answers at that address, or the cable is out
    CONNECTION_LOST = "PRINTER-CONNECTION-LOST"  # it was there and went: reset, power, cable
    PERMISSION = "PRINTER-PERMISSION"  # the kiosk's user may not open the device file
    BUSY_PORT = "PRINTER-BUSY-PORT"  # another program holds the port
    WRONG_PATH = "PRINTER-WRONG-PATH"  # what is there is no printer: a plain file, a folder, another USB device
    SEVERAL = "PRINTER-SEVERAL"  # two USB printers fit the address: it must name the serial number
    PORT = "PRINTER-PORT"  # the port opened and then failed in another way; the detail tells
    NO_ANSWER = "PRINTER-NO-ANSWER"  # asked and silent: nothing is known
    PAPER_OUT = "PRINTER-PAPER-OUT"
    PAPER_NEAR_END = "PRINTER-PAPER-NEAR-END"
    COVER_OPEN = "PRINTER-COVER-OPEN"
    CUTTER = "PRINTER-CUTTER"  # the cutter is jammed
    ERROR = "PRINTER-ERROR"  # any other error that the printer reports
    OFFLINE = "PRINTER-OFFLINE"  # off line without a cause that it would tell
    STOPPED = "PRINTER-STOPPED"  # the kiosk itself was being shut down
