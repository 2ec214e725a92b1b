"""What isolates programs and Chromium on this machine, in plain words, and a stop where that is not enough.

Left out: isolating them (`jail`, `sandbox`, `engine`), and a look for notebooks: `Isolation` is plain data.
"""

import dataclasses
import functools
import sys
from typing import ClassVar, NamedTuple

from .chromium import Browser
from .engine import INNER, INSTALL, OUTER, PageError, find_chromium
from .jail import Jail

# layers of the jail: name, the keys of `prevented` it needs, what is not protected without it, what to do
_LAYERS = (
    ("limits", ("more memory", "change limits"),
     "one program can take all memory or CPU time", "run on Linux, or in a container with a memory limit"),
    ("files", ("read files", "write files"),
     "programs read and change your files: keys, data, and the target images (reward hacking)", "{wall}"),
    ("network", ("network",), "programs reach the network, this machine's own servers and sockets", "{wall}"),
    ("processes", ("start processes", "signal other processes", "new namespaces"),
     "programs start others that outlive them, and may stop yours", "{wall}"),
    ("namespaces", ("own process ids",),
     "one layer less: the rules above then rest on seccomp and Landlock alone", "{bwrap}"),
)
CHROMIUM = "Chromium, for html, svg and plotly"
_USERNS = "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"
_INSTALL_BWRAP = f"sudo apt-get install bubblewrap; Ubuntu 24.04 also: {_USERNS}; "
_BWRAP = (_INSTALL_BWRAP
          + "Docker: docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined ...")
_NAMESPACES = _INSTALL_BWRAP + "or use a container that allows user namespaces"
_MISSING = {    # is bubblewrap round it, is its own sandbox on: what is not protected, what to do about it
    (True, True): ("", ""),
    (True, False): ("one layer less: a fault in Chromium meets bubblewrap only",
                    f"Ubuntu 24.04: {_USERNS}"),
    (False, True): ("one layer less: a fault in Chromium meets its own sandbox only", _NAMESPACES),
    (False, False): ("a hostile page that finds a fault in Chromium has your files and your network; "
                     "as root its own sandbox is off", f"{_NAMESPACES}; or do not run as root"),
}


class Layer(NamedTuple):
    """A row of the table: `name`, whether it is `active`, what is not protected without it, what to do."""
    name: str
    active: bool
    missing: str
    fix: str


@dataclasses.dataclass(frozen=True)
class Isolation:
    """What keeps programs in on this machine, found by trying. `level` is "namespaces", "filters" or
    "limits".

    `safe` is False on the level "limits": read `rows` (a tuple of `Layer`) first. `reasons` tell why a
    stronger way could not be used. `always` is (name, what no layer protects from, what to do about it).
    """
    level: str
    safe: bool
    rows: tuple
    reasons: tuple = ()
    always: ClassVar[tuple] = (
        "always unprotected",
        "a program may paint any pixels it likes, use up its own CPU time, and exploit kernel bugs",
        "keep targets out of its reach (done here) and the kernel up to date")

    def __str__(self):
        lines = [f"isolation: {self.level} ({'safe' if self.safe else 'NOT safe'} for untrusted programs)"]
        for name, active, missing, fix in self.rows:
            lines.append(f"  yes {name}" if active else f"  NO  {name}: {missing}\n      -> {fix}")
        name, missing, fix = self.always
        lines.append(f"  {name}: {missing}\n      -> {fix}")
        return "\n".join(lines + [f"  tried in vain: {reason}" for reason in self.reasons])


@functools.lru_cache(maxsize=1)
def describe():
    """Start a jail, have a program try to break out of it, and say what held -> `Isolation`. About two
    seconds, once.

    Raises RuntimeError when no render process can be started at all.
    """
    jail = Jail()
    try:
        return isolation_of(jail)
    finally:
        jail.close()


def isolation_of(jail):
    """What a running `Jail` found out about itself when it started -> `Isolation`."""
    wall = f"{_BWRAP}; or a Linux kernel with Landlock (5.13 or later)"
    rows = tuple(Layer(name, all(map(jail.prevented.get, keys)), missing, fix.format(wall=wall, bwrap=_BWRAP))
                 for name, keys, missing, fix in _LAYERS)
    level = "limits" if not jail.safe else "namespaces" if jail.mode == "bwrap" else "filters"
    return Isolation(level, jail.safe, rows, tuple(jail.reasons))


def chromium_layer():
    """Start Chromium and see what is round it -> `Layer`. Takes some seconds."""
    try:
        find_chromium()
    except RuntimeError:
        return Layer(CHROMIUM, False, "nothing is drawn in these languages, for want of it", INSTALL)
    with Browser(pages=1) as browser:
        try:
            browser.html("<p>")
        except PageError as error:
            return Layer(CHROMIUM, False, str(error), INSTALL.replace("install", "install --with-deps"))
        missing, fix = _MISSING[OUTER in browser.protection, INNER in browser.protection]
    return Layer(f"{CHROMIUM}: {browser.protection.partition(': ')[2]}", not missing, missing, fix)


def doctor():
    """Print (in a notebook: show) what isolates programs and Chromium here, what does not, what to do ->
    `Isolation`.

    Starts both to find out, which takes some seconds. Raises RuntimeError when no program can be run at all.
    """
    isolation = describe()
    isolation = dataclasses.replace(isolation, rows=(*isolation.rows, chromium_layer()))
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if not hasattr(shell, "kernel"):  # a notebook shows what is returned
        print(isolation)
    return isolation


def require_isolation(unsafe_ok=False, isolation=None):
    """Raise RuntimeError where untrusted programs could do harm, unless `unsafe_ok`. For before training.

    `isolation` is that of the renderer which will be used; without it one is started only to find out.

        require_isolation(isolation=renderer.isolation)
    """
    if unsafe_ok:
        return
    isolation = isolation or describe()
    if not isolation.safe:
        raise RuntimeError(f"{isolation}\nThis machine cannot hold untrusted programs. Fix it as said above, "
                           "or, if nothing on it is worth stealing, allow it explicitly with unsafe_ok=True.")
