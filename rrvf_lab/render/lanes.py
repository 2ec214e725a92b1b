"""The jail of one Renderer and its lanes: programs run in a free lane, and once more where the lane, not
they, failed.

A jail that died is replaced, never by a weaker one than the first.

Left out: what becomes of an outcome, and results kept for later (`renderer`).
"""

import re
import threading

from . import job
from .isolation import isolation_of
from .jail import Jail

# programs that profit from a lane with these loaded
HEAVY = re.compile(r"\b(pandas|scipy|seaborn|sklearn|networkx)\b")
CLOSED = "this Renderer is closed; make a new one"


class Lanes:
    """Runs programs in one jail, started at the first of them; from any thread, as many at a time as call.

    `timeout` is CPU seconds a program, `memory` MiB a program.
    """

    def __init__(self, timeout, memory):
        self.timeout, self.memory = timeout, memory
        self.jail = None
        self._safe = False                       # whether the first jail was: none after it may be less
        self._free = {True: [], False: []}       # idle lanes, heavy ones and others
        self._closed, self._lock = False, threading.Lock()

    def isolation(self):
        """What keeps the programs in -> `Isolation`; starts the jail if none runs. Raises RuntimeError."""
        with self._lock:
            if self._closed:
                raise RuntimeError(CLOSED)
            return isolation_of(self._running_jail())

    def run(self, code, language, size):
        """Run a program -> `job.Outcome`. Raises RuntimeError when no jail can be started at all."""
        heavy = language == "plotly" or bool(HEAVY.search(code))
        for _ in range(2):
            try:
                lane = self._lane(heavy)
            except OSError as error:
                return job.Outcome(f"no render process: {error}", None, None, 0.0, 0.0, lost=True)
            outcome = job.run(lane, code, language, self.timeout, max(120.0, 12 * self.timeout), size)
            self._take_back(lane, heavy, outcome.lost)
            if not outcome.lost:
                break
        return outcome

    def close(self):
        """End the jail; programs still running are lost."""
        with self._lock:
            self._closed = True
            self._end_jail()
            self._end_lanes()

    def _lane(self, heavy):
        """A free lane, else a new one, from a new jail when the old one is gone. Raises OSError."""
        with self._lock:
            if self._closed:
                raise OSError("the Renderer was closed")
            if self._free[heavy]:
                return self._free[heavy].pop()
            try:
                return self._running_jail().lane(heavy)
            except OSError:
                self._end_jail()
                return self._running_jail().lane(heavy)

    def _take_back(self, lane, heavy, lost):
        with self._lock:
            self._free[heavy].append(lane)
            if lost or self._closed:             # whatever took this lane may have taken the others
                self._end_lanes()
            if lost and self.jail and not self.jail.alive():
                self._end_jail()

    def _running_jail(self):
        """The jail, started when there is none. Needs the lock."""
        if self.jail is None:
            jail = Jail(self.memory)
            if self._safe and not jail.safe:
                jail.close()
                raise OSError("a new one would be less isolated than the first; " + "; ".join(jail.reasons))
            self.jail, self._safe = jail, jail.safe
        return self.jail

    def _end_jail(self):
        jail, self.jail = self.jail, None
        if jail:
            jail.close()

    def _end_lanes(self):
        for free in self._free.values():
            while free:
                free.pop().close()
