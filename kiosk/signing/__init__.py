"""Electronic signatures: a letter's PDF is signed, by the village's own key or by BSrE, and verified before anything
believes it. `interface.py` is what the rest of the kiosk knows."""
