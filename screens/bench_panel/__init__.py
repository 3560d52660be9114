"""The bench's panel: the world around a kiosk of virtual devices, for developers and for showing the kiosk on a laptop.

A process of its own (`python -m screens.bench_panel --socket PATH`): it talks to the bench of a running kiosk and ends
with it. On its left are the things a hand can do, on its right the printer, with the paper as the driver's bytes drew
it.
"""
