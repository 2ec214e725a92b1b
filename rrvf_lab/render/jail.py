"""The jail: a clean process that holds nothing of ours, in the strongest isolation this machine gives.

The *zygote* (`_zygote.py`, started by exec) imports the plotting libraries once and forks a child per
program. Around it lie, as far as the machine allows, and always tested by their effect, never assumed: a
bubblewrap user/pid/mount/network namespace, a fresh pid namespace per program, and the layers of `sandbox`.

Left out: what a missing layer means for the user (`isolation`), and which jail and lane a program gets
(`lanes`).
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import uuid

from . import job, sandbox

# what runs inside; the first is the script
FILES = [os.path.join(os.path.dirname(os.path.abspath(__file__)), name) for name in (
    "_zygote.py", "_program.py", "_matplotlib.py", "_plotly.py", "_svg.py", "sandbox.py")]


def _python_paths():
    """(readable, folders): what a program may read, and site-packages that Python would not find itself."""
    readable = [p for p in sys.path if p.endswith(("site-packages", "dist-packages")) and os.path.isdir(p)]
    site = [p for p in readable if not p.startswith(sys.prefix + os.sep)]
    for prefix in dict.fromkeys((sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix)):
        readable += [os.path.join(prefix, name) for name in ("lib", "lib64", "pyvenv.cfg", "share/fonts")]
    readable += ["/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib", "/lib64", "/usr/share/fonts",
                 "/usr/local/share/fonts", "/usr/share/zoneinfo", "/etc/ld.so.cache", "/etc/localtime",
                 "/etc/fonts", "/dev/null", "/dev/urandom"]
    return [p for p in dict.fromkeys(readable) if os.path.exists(p)], site


def cache_folder():
    """Where matplotlib keeps its font list, so that it is not made again at each start."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    path = os.path.join(base, "rrvf_lab", "matplotlib")
    try:
        os.makedirs(path, exist_ok=True)
        if os.access(path, os.W_OK):
            return path
    except OSError:
        pass
    return os.path.join(tempfile.mkdtemp(prefix="rrvf-"), "matplotlib")


def _environment(cache, site):
    """What the zygote's own environment holds: nothing of ours."""
    return {"PATH": "/usr/bin:/bin", "HOME": "/", "LANG": "C.UTF-8", "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": os.pathsep.join(site),
            "PYTHONNOUSERSITE": "1", "MPLBACKEND": "agg", "MPLCONFIGDIR": cache, "TZ": "UTC",
            # allocators that reserve gigabytes of addresses would meet the memory limit
            "ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_ARENA_MAX": "2",
            "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def _bwrap(readable, cache):
    """The bubblewrap command before Python's own: new namespaces, and no files but these. Raises OSError."""
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        raise OSError("bubblewrap is not installed (apt-get install bubblewrap)")
    flags = ["--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts",
             "--uid", "0", "--gid", "0", "--cap-add", "ALL", "--as-pid-1", "--proc", "/proc",
             "--dir", "/dev"]
    binaries = [os.path.dirname(os.path.realpath(sys.executable)), os.path.dirname(sys.executable)]
    for path in sorted(dict.fromkeys(readable + binaries + FILES), key=len):
        flags += ["--dev-bind" if path.startswith("/dev/") else "--ro-bind", path, path]
    flags += ["--bind", cache, cache, "--dir", sandbox.FOLDER]
    if not any(path.startswith("/tmp/") for path in (*readable, *binaries, *FILES, cache)):
        flags += ["--symlink", f"{sandbox.FOLDER}/tmp", "/tmp"]
    return [bwrap, *flags, "--chdir", "/", "--remount-ro", "/"]


class Jail:
    """A zygote in the strongest isolation this machine gives; `lane()` opens a connection that renders one at
    a time.

    `memory` is in MiB for each program. Attributes: `mode` ("bwrap" or "plain"), `prevented` (what a test
    program tried, and whether it was stopped), `safe`, `reasons` (why a stronger mode could not be used),
    `process`. Raises RuntimeError with the zygote's own words if none starts.

        jail = Jail(memory=512)
        outcome = job.run(jail.lane(), "print(1)", "matplotlib", cpu=5, wall=60)
    """

    process = _control = _heavy = None           # the zygote, and the streams to it and to its heavy twin

    def __init__(self, memory=1024):
        self.memory = memory
        weak, reasons = None, []
        for mode in sandbox.MODES:
            try:
                self._start(mode)
            except (OSError, RuntimeError) as error:
                reasons.append(f"{mode}: {error}")
                self.close()
                continue
            if self.safe:
                break
            weak = weak or mode
            self.close()
        if self.process is None and weak:
            self._start(weak)
        self.reasons = reasons
        if self.process is None:
            raise RuntimeError("no render process could be started: " + "; ".join(reasons))

    def _command(self, mode, fd):
        """(command, environment, cache folder) of a zygote whose control stream is `fd`. Raises OSError."""
        readable, site = _python_paths()
        cache = cache_folder()
        task = {"readable": readable, "memory": self.memory, "mode": mode}
        command = [sys.executable, "-B", FILES[0], str(fd), json.dumps(task)]
        if mode == "bwrap":
            command = _bwrap(readable, cache) + command
        return command, _environment(cache, site), cache

    def _start(self, mode):
        """Start a zygote, wait until it is ready, and let a program try to break out of it."""
        ours, theirs = socket.socketpair()
        self._control, self.mode, self.safe = ours, mode, False
        with theirs, tempfile.TemporaryFile() as errors:
            command, environment, cache = self._command(mode, theirs.fileno())
            self.process = subprocess.Popen(command, env=environment, cwd="/", stdin=subprocess.DEVNULL,
                                            stdout=subprocess.DEVNULL, stderr=errors,
                                            pass_fds=(theirs.fileno(),), start_new_session=True)
            theirs.close()
            ours.settimeout(600)
            ready = ours.recv(1)
            if ready != b"R":
                self.process.wait()
                errors.seek(0)
                text = errors.read().decode(errors="replace").strip()[-600:]
                raise RuntimeError(text or f"the render process ended with status {self.process.returncode}")
            ours.settimeout(None)
        self.prevented = self._test(cache)
        needed = [k for k in self.prevented if k != "own process ids"]
        self.safe = all(self.prevented[k] for k in needed)

    def _test(self, cache):
        """Have a jailed program try to break out of this very jail; see `sandbox.attempt_everything`."""
        with tempfile.TemporaryDirectory(prefix="rrvf-") as folder, socket.socket() as tcp, \
                socket.socket(socket.AF_UNIX) as unix, self.lane() as lane:
            secret = os.path.join(folder, "secret")
            with open(secret, "w") as file:
                file.write("x")
            tcp.bind(("127.0.0.1", 0))
            tcp.listen()
            unix.bind(os.path.join(folder, "socket"))
            unix.listen()
            task = {"secrets": [secret, f"/proc/{os.getpid()}/environ", "/etc/passwd"], "folder": folder,
                    "cache": cache, "port": tcp.getsockname()[1], "unix": os.path.join(folder, "socket"),
                    "driver": os.getpid(), "memory": self.memory, "mark": f"rrvf-test-{uuid.uuid4().hex}"}
            outcome = job.run(lane, json.dumps(task), "selftest", cpu=10, wall=60)
        if not isinstance(outcome.report, dict) or "prevented" not in outcome.report:
            raise RuntimeError(f"the isolation test did not finish: {outcome.status} {outcome.report}")
        prevented = outcome.report["prevented"]
        for place in (cache, "/tmp", "/dev/shm", "/"):       # its own folder is not seen here
            if os.path.exists(os.path.join(place, task["mark"])):
                prevented["write files"] = False
                os.unlink(os.path.join(place, task["mark"]))
        return prevented

    def alive(self):
        """Whether it still runs. Asked after a lane was lost, so a zygote that is dying gets a moment."""
        try:
            self.process.wait(0.2)
        except subprocess.TimeoutExpired:
            return True
        return False

    def lane(self, heavy=False):
        """A socket to a process forked from the zygote that runs one program at a time; for `job.run`. Raises
        OSError.

        A `heavy` lane has pandas, scipy and the like loaded; the others fork faster.
        """
        if heavy and self._heavy is None:
            self._heavy, theirs = socket.socketpair()
            with theirs:
                socket.send_fds(self._control, [b"H"], [theirs.fileno()])
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._heavy if heavy else self._control, [b"L"], [theirs.fileno()])
        return ours

    def close(self):
        """End the zygote and everything it started."""
        for control in (self._heavy, self._control):
            if control is not None:
                control.close()                  # a zygote ends at the end of its control stream
        if self.process is not None:
            try:
                self.process.wait(2)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = self._control = self._heavy = None
