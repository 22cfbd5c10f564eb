"""How often a process looks for garbage."""

import gc

_YOUNG = 10_000


def collect_seldom() -> None:
    """Let more objects come to be before the collector looks at them.

    By default it looks after 700, so that reading the plan of 10,000 tasks took 360 ms, of which it
    was 250: a workflow that goes on for 2 s is taken for stuck. Of the answers that draw a graph of
    1,000 tasks in 30 ms, every fourth took 140 ms longer.
    """
    _, middle, old = gc.get_threshold()
    gc.set_threshold(_YOUNG, middle, old)
