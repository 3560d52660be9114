"""Takes queue numbers in a process of its own, until it is killed or has enough; says each that it was given."""

import sys
import uuid

from kiosk.clock import Clock
from kiosk.queue import Queue
from kiosk.store.store import Store
from kiosk.store.vault import Vault


def main(url: str, key: str, count: int) -> None:
    queue = Queue(Store.open(url, Vault(bytes.fromhex(key))), Clock(), "Asia/Jakarta")
    for _ in range(count):
        print(queue.take("A", str(uuid.uuid4())).number, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
