"""The process that runs programs: imports the plotting libraries once, forks a child for each program.

Started by `jail.Jail` as a script, never imported. Three generations: the *zygote* loads the libraries and
waits; for each `lane` it forks a process that takes one program at a time; that one forks the *child* which
puts the limits on itself, runs the program and writes picture and report into the shared memory it was given.

A program may do anything with its own child, so nothing said here is trusted by the other side: it reads
plain pixels and a small JSON report, after the child is dead. Unseeded random numbers are the same in each
render, and sleeping is skipped: the picture should depend on the program alone. Files a program writes live
in a folder in memory that only it sees (`sandbox.own_folder`), else in its own memory (`_program`).

Left out: what each language does with a program (`_matplotlib`, `_plotly`, `_svg`) and the layers
(`sandbox`). They are read from beside this script before any program, then forgotten by name: a program's own
imports never find them.
"""

import contextlib
import ctypes
import gc
import importlib
import json
import os
import random
import signal
import socket
import sys

import _matplotlib
import _plotly
import _program
import _svg
import sandbox

RUN = {"matplotlib": _matplotlib.run, "plotly": _plotly.run, "svg": _svg.run}

# -------------------------------------------------------------------------------------------- three processes

def zygote(control, task):
    """Load, confine, report ready, then fork a lane per socket that arrives; end with the control stream."""
    preload()
    null = os.open(os.devnull, os.O_RDWR)
    own_namespace = None
    if task["mode"] == "bwrap":
        own_namespace = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    sandbox.remember_mapped_pages()
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(4, 0, 0, 0, 0)                                # not dumpable: no ptrace, no /proc/PID/mem
        if task["mode"] == "bwrap":
            libc.umount2(b"/proc", 2)
    task["rules"] = None
    if task["mode"] in sandbox.MODES:
        with contextlib.suppress(OSError):       # the test program of `Jail` finds out what that means
            task["rules"] = sandbox.landlock_rules(task["readable"])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)                # nobody waits for a lane
    control.sendall(b"R")
    serve(control, null, own_namespace, task)


def serve(control, null, own_namespace, task):
    """Fork a lane for each socket that comes with an L, and a zygote with more libraries for an H."""
    gc.collect()
    gc.freeze()
    while True:
        message, fds, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            os._exit(0)
        if os.fork() == 0:
            control.close()
            if sys.platform == "linux":
                ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)      # dies with its zygote
            if message == b"H":
                preload_heavy()
                serve(socket.socket(fileno=fds[0]), null, own_namespace, task)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            lane(socket.socket(fileno=fds[0]), null, own_namespace, task)
        os.close(fds[0])


def lane(connection, null, own_namespace, task):
    """Take programs, one at a time, until the other side hangs up."""
    child_pid = 0

    def too_late(*_):
        nonlocal late
        late = True
        if child_pid:
            os.kill(child_pid, signal.SIGKILL)

    signal.signal(signal.SIGALRM, too_late)
    while True:
        message, fds, _, _ = socket.recv_fds(connection, 4096, 1)
        if not message or not fds:
            os._exit(0)
        job = json.loads(message)
        late = False
        if own_namespace is not None:
            sandbox.fresh_pid_namespace(own_namespace)
        child_pid = os.fork()
        if child_pid == 0:
            try:
                signal.setitimer(signal.ITIMER_REAL, 0)
                child(fds[0], null, job, task)
            finally:
                os._exit(70)
        signal.setitimer(signal.ITIMER_REAL, job["wall"])
        _, status, usage = os.wait4(child_pid, 0)
        child_pid = 0
        signal.setitimer(signal.ITIMER_REAL, 0)
        os.close(fds[0])
        end = {"status": status, "late": late, "cpu": usage.ru_utime + usage.ru_stime}
        connection.sendall(json.dumps(end).encode() + b"\n")


def child(memory, null, job, task):
    """Confine this process, run the program, write the result. Does not return."""
    gc.disable()
    random.seed(0)                          # Python seeds it anew in every fork
    os.setsid()
    code = os.pread(memory, job["length"], 0).decode("utf-8", "surrogatepass")
    os.pwrite(memory, bytes(8), 0)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    files = own_files(task)
    os.dup2(memory, 3)
    os.closerange(4, 4096)
    for number in (signal.SIGALRM, signal.SIGCHLD, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGPROF, over_time)
    signal.setitimer(signal.ITIMER_PROF, job["cpu"])
    if task["mode"] != "bare":
        sandbox.apply_limits(job["cpu"], task["memory"])
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)      # die with the lane
    try:
        if task["mode"] in sandbox.MODES:
            sandbox.drop_capabilities()
            program = sandbox.seccomp_program(os.getpid(), files)
            if program:
                sandbox.apply_seccomp(program)
    except OSError:
        pass
    report = {"width": 0, "height": 0}
    if job["language"] == "selftest":
        report["prevented"] = sandbox.attempt_everything(json.loads(code))
    else:
        report = RUN[job["language"]](code, job)
    pixels = report.pop("pixels", None)
    if pixels is not None:
        os.pwrite(3, pixels, sandbox.HEAD)
    text = json.dumps(report).encode()
    os.pwrite(3, b"RRVF" + len(text).to_bytes(4, "little") + text, 0)
    os._exit(0)


def own_files(task):
    """Put Landlock's rules on this process, before them a folder of its own -> whether it has one.

    It has none without Landlock: one layer less would keep programs from writing elsewhere.
    """
    if task["rules"] is None:
        return False
    files = False
    if task["mode"] == "bwrap":
        with contextlib.suppress(OSError):
            sandbox.own_folder()
            files = True
    with contextlib.suppress(OSError):
        sandbox.apply_landlock(task["rules"])
        return files
    return False


def over_time(*_):
    raise _program.CpuLimit("the CPU time limit was reached here")


# --------------------------------------------------------------------------------------------- what is loaded

def preload():
    """Import what charts use and draw one of each kind, so that a child finds everything warm."""
    import matplotlib
    matplotlib.use("agg")
    import matplotlib.pyplot as plt
    import numpy as np
    for name in ("mpl_toolkits.axes_grid1.inset_locator", "mpl_toolkits.mplot3d", "matplotlib.animation",
                 "matplotlib.dates", "matplotlib.gridspec", "matplotlib.patheffects", "matplotlib.sankey",
                 "matplotlib.table", "matplotlib.tri", "matplotlib.widgets", "matplotlib._qhull"):
        importlib.import_module(name)
    load("calendar", "colorsys", "csv", "datetime", "glob", "math", "statistics", "textwrap",
         "xml.etree.ElementTree")
    _matplotlib.warm_up(plt, np)
    _matplotlib.patch(matplotlib, plt, np)
    _program.patch_files()
    random.seed(0)
    np.random.seed(0)
    np.random.bit_generator.randbits = lambda bits: 20250720 & (1 << bits) - 1      # seeds default_rng()


def load(*names):
    """Import these where they are installed."""
    for name in names:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def preload_heavy():
    """The libraries that only some programs use; each makes every fork after it dearer."""
    load("pandas", "pandas.plotting._matplotlib", "scipy.stats", "scipy.interpolate", "scipy.ndimage",
         "seaborn", "sklearn", "networkx", "plotly.express", "plotly.io", "plotly.subplots")
    sandbox.remember_mapped_pages()


if __name__ == "__main__":
    sys.path.remove(os.path.dirname(os.path.abspath(__file__)))
    for module in (_matplotlib, _plotly, _program, _svg, sandbox):
        del sys.modules[module.__name__]
    zygote(socket.socket(fileno=int(sys.argv[1])), json.loads(sys.argv[2]))
