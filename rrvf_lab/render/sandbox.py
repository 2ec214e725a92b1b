"""Run untrusted programs: find out which isolation this machine gives, apply it, say what is not protected.

A clean process (the *zygote*: `_zygote.py`, started by exec, so it holds nothing of ours) imports the
plotting libraries once and forks a child per program. Around it lie, as far as the machine allows, and always
tested by their effect, never assumed: a bubblewrap user/pid/mount/network namespace, a fresh pid namespace
per program, resource limits, a Landlock rule set (only the Python libraries and fonts may be read) and a
seccomp list of the calls that plotting needs (no sockets, no new processes, no file opened for writing).

It does NOT protect against kernel bugs, against a program that wastes its own CPU allowance, against side
channels, or against a program that paints any pixels it likes: pixels cannot be trusted, so no target may be
readable here. On macOS, and on Linux without namespaces and without Landlock, programs can read the user's
files: `doctor()` says so. Only the standard library is used; the zygote loads this file too.
"""

import ctypes
import dataclasses
import functools
import html
import json
import math
import mmap
import os
import platform
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

HEAD = 256 * 1024                  # bytes before the pixels: first the program, then its report
MAX_PIXELS = 4_000_000
MEMFD_BYTES = HEAD + 4 * MAX_PIXELS
MODES = ("bwrap", "plain")         # in this order; tests force "limits" (rlimits only), "bare" (nothing)

# ------------------------------------------------------------------------------------ the layers (in a child)

# name=x86_64/aarch64 numbers of the calls a plotting program needs; everything else fails with EPERM.
_CALLS = """
read=0/63 write=1/64 readv=19/65 writev=20/66 pread64=17/67 pwrite64=18/68 lseek=8/62 close=3/57
close_range=436/436 fstat=5/80 newfstatat=262/79 stat=4/ lstat=6/ statx=332/291 access=21/ faccessat=269/48
faccessat2=439/439 readlink=89/ readlinkat=267/78 getdents64=217/61 getcwd=79/17 fadvise64=221/223 fsync=74/82
fdatasync=75/83 ftruncate=77/46 flock=73/32 statfs=137/43 fstatfs=138/44 dup=32/23 dup2=33/ dup3=292/24
pipe=22/ pipe2=293/59 poll=7/ ppoll=271/73 select=23/ pselect6=270/72 epoll_create1=291/20 epoll_ctl=233/21
epoll_pwait=281/22 epoll_wait=232/ eventfd2=290/19 mmap=9/222 munmap=11/215 mprotect=10/226 mremap=25/216
madvise=28/233 brk=12/214 msync=26/227 mincore=27/232 membarrier=324/283 futex=202/98 set_robust_list=273/99
rseq=334/293 set_tid_address=218/96 restart_syscall=219/128 exit=60/93 exit_group=231/94 rt_sigaction=13/134
rt_sigprocmask=14/135 rt_sigreturn=15/139 rt_sigpending=127/136 rt_sigtimedwait=128/137 sigaltstack=131/132
clock_gettime=228/113 clock_getres=229/114 clock_nanosleep=230/115 nanosleep=35/101 gettimeofday=96/169
time=201/ times=100/153 setitimer=38/103 getitimer=36/102 alarm=37/ getpid=39/172 getppid=110/173
gettid=186/178 getuid=102/174 geteuid=107/175 getgid=104/176 getegid=108/177 getgroups=115/158
getresuid=118/148 getresgid=120/150 getpgrp=111/ getpgid=121/155 getsid=124/156 umask=95/166 uname=63/160
sysinfo=99/179 getrusage=98/165 getrlimit=97/163 getrandom=318/278 getcpu=309/168 sched_yield=24/124
sched_getaffinity=204/123 sched_getparam=143/121 sched_getscheduler=145/120 sched_get_priority_max=146/125
sched_get_priority_min=147/126 arch_prctl=158/ wait4=61/260 waitid=247/95 capget=125/90 getpriority=140/141
chdir=80/49 fchdir=81/50 get_mempolicy=239/236 sendto=44/206 recvfrom=45/207 shutdown=48/210
"""
_ARCH = {"x86_64": (0, 0xC000003E, 317), "aarch64": (1, 0xC00000B7, 277)}     # column, AUDIT_ARCH, seccomp()
_EPERM, _EROFS, _ENOSYS = 1, 30, 38
_CLONE_THREAD, _NEWPID = 0x10000, 0x20000000


def _libc():
    return ctypes.CDLL(None, use_errno=True)


def _check(result):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def seccomp_program(pid):
    """The filter as bytes of `struct sock_filter` for a child whose own process id is `pid`; None on other
    machines."""
    if sys.platform != "linux" or platform.machine() not in _ARCH:
        return None
    column, arch, _ = _ARCH[platform.machine()]
    allow, kill = 0x7FFF0000, 0x80000000
    code = []

    def op(op_code, k, jt=0, jf=0):
        code.append(struct.pack("<HBBI", op_code, jt, jf, k & 0xFFFFFFFF))

    def load(offset):
        op(0x20, offset)

    def ret(k):
        op(0x06, k)

    def deny(number):
        ret(0x00050000 | number)

    def number_of(x86, arm):
        return (x86, arm)[column]

    def block(number, emit):                     # "if the call is `number`: emit" (emit always ends in ret)
        if number is not None:
            start = len(code)
            op(0x15, number)
            emit()
            code[start] = struct.pack("<HBBI", 0x15, 0, len(code) - start - 1, number)

    def one_of(argument, values):                # allowed only when the argument's low word is one of values
        def emit():
            load(16 + 8 * argument)
            for value in values:
                op(0x15, value, 0, 1)
                ret(allow)
            deny(_EPERM)
        return emit

    def unless(argument, mask, number):          # denied with `number` when a bit of mask is set
        def emit():
            load(16 + 8 * argument)
            op(0x45, mask, 0, 1)
            deny(number)
            ret(allow)
        return emit

    def threads_only():
        load(16)
        op(0x45, _CLONE_THREAD, 0, 1)
        ret(allow)
        deny(_EPERM)

    def no_new_limit():                          # prlimit64 may read limits: its third argument must be NULL
        for half in (32, 36):
            load(half)
            op(0x15, 0, 1, 0)
            deny(_EPERM)
        ret(allow)

    def stream_pair():                           # datagram sockets could send to any path
        load(16)
        op(0x15, 1, 1, 0)
        deny(_EPERM)
        one_of(1, (1, 0x801, 0x80001, 0x80801))()

    load(4)
    op(0x15, arch, 1, 0)
    ret(kill)
    load(0)
    if column == 0:                              # the x32 call table
        op(0x35, 0x40000000, 0, 1)
        deny(_ENOSYS)
    for item in _CALLS.split():
        number = item.split("=")[1].split("/")[column]
        if number:
            block(int(number), lambda: ret(allow))
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
    block(number_of(257, 56), unless(2, writing, _EROFS))                   # openat
    block(number_of(2, None), unless(1, writing, _EROFS))                   # open
    block(number_of(56, 220), threads_only)                                 # clone
    block(number_of(302, 261), no_new_limit)                                # prlimit64
    block(number_of(157, 167), one_of(0, (3, 15, 16, 23, 0x53564D41)))      # prctl: names and harmless reads
    block(number_of(16, 29), one_of(1, (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)))  # ioctl: terminal?
    block(number_of(72, 25), one_of(1, (0, 1, 2, 3, 4, 5, 6, 7, 1030, 1034)))            # fcntl
    block(number_of(62, 129), one_of(0, (pid,)))                            # kill
    block(number_of(234, 131), one_of(0, (pid,)))                           # tgkill
    block(number_of(53, 199), stream_pair)                                  # socketpair, for asyncio
    block(number_of(435, 435), lambda: deny(_ENOSYS))                       # clone3: libc falls back to clone
    block(number_of(437, 437), lambda: deny(_ENOSYS))                       # openat2
    deny(_EPERM)
    return b"".join(code)


def apply_seccomp(program):
    """Install the filter on this process for good. Raises OSError where the kernel has none."""
    buffer = ctypes.create_string_buffer(program, len(program))
    fprog = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(buffer)))
    no_new_privs()
    _check(_libc().syscall(_ARCH[platform.machine()][2], 1, 4, fprog))      # SET_MODE_FILTER, SPEC_ALLOW


def no_new_privs():
    if sys.platform == "linux":
        _check(_libc().prctl(38, 1, 0, 0, 0))


def apply_landlock(readable):
    """Let this process and its children read only below `readable` and write nowhere. Raises OSError."""
    if sys.platform != "linux" or platform.machine() not in _ARCH:
        raise OSError(_ENOSYS, "Landlock needs Linux")
    libc = _libc()
    abi = _check(libc.syscall(444, None, ctypes.c_size_t(0), 1))
    rights = (1 << (13 + (abi >= 2) + (abi >= 3) + (abi >= 5))) - 1
    attributes = struct.pack("<QQQ", rights, 3 if abi >= 4 else 0, 3 if abi >= 6 else 0)
    rules = _check(libc.syscall(444, attributes, ctypes.c_size_t(8 if abi < 4 else 16 if abi < 6 else 24), 0))
    try:
        for path in readable:
            try:
                fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except OSError:
                continue
            try:
                wanted = 0b1100 if os.path.isdir(path) else 0b0100          # READ_FILE, READ_DIR
                _check(libc.syscall(445, rules, 1, struct.pack("<Qi", wanted, fd), 0))
            finally:
                os.close(fd)
        no_new_privs()
        _check(libc.syscall(446, rules, 0))
    finally:
        os.close(rules)


def drop_capabilities():
    """Give up every capability (root inside or outside a namespace); nothing to do elsewhere."""
    if sys.platform == "linux":
        header, data = struct.pack("<Ii", 0x20080522, 0), bytes(24)
        _check(_libc().capset(header, data))


def apply_limits(cpu, memory):
    """CPU seconds, and MiB *on top of* what is mapped already; no core file, few descriptors, no big file."""
    seconds = math.ceil(cpu) + 1
    wanted = {"RLIMIT_CPU": seconds, "RLIMIT_FSIZE": MEMFD_BYTES, "RLIMIT_NOFILE": 128, "RLIMIT_CORE": 0,
              "RLIMIT_MEMLOCK": 0, "RLIMIT_MSGQUEUE": 0}
    if _mapped_pages:
        wanted["RLIMIT_AS"] = _mapped_pages * resource.getpagesize() + memory * 2**20
    for name, value in wanted.items():
        if hasattr(resource, name):
            resource.setrlimit(getattr(resource, name), (value, value))


_mapped_pages = 0


def remember_mapped_pages():
    """Find the address space in pages by trying limits, as /proc may be closed; `apply_limits` adds to it."""
    global _mapped_pages
    size, (old, hard) = resource.getpagesize(), resource.getrlimit(resource.RLIMIT_AS)
    low, high = 0, 2**36 // size
    while sys.platform == "linux" and high - low > 256:
        middle = (low + high) // 2
        resource.setrlimit(resource.RLIMIT_AS, (middle * size, hard))
        try:
            mmap.mmap(-1, size).close()
            high = middle
        except (OSError, MemoryError):
            low = middle
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (old, hard))
    _mapped_pages = high


def fresh_pid_namespace(own):
    """The next fork becomes process 1 of a new pid namespace (`own`: a descriptor of the current one)."""
    libc = _libc()
    _check(libc.setns(own, _NEWPID))             # without it a second unshare is refused
    _check(libc.unshare(_NEWPID))


def attempt_everything(job):
    """Run by a jailed child: try what a hostile program would, return {what: was it prevented}."""
    def prevented(act):
        try:
            act()
        except BaseException:
            return True
        return False

    def connect(family, address):
        with socket.socket(family, socket.SOCK_STREAM) as s:
            s.settimeout(1)
            s.connect(address)

    def fork():
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)

    def read(path):
        with open(path, "rb") as file:
            file.read(1)

    def write(folder):
        path = os.path.join(folder, "rrvf-write-test")
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT))  # `open` itself keeps a program's files in its own memory
        os.unlink(path)

    def allocate():
        mmap.mmap(-1, (job["memory"] + 64) * 2**20).close()

    def raise_limit():
        resource.setrlimit(resource.RLIMIT_CPU, (1, resource.getrlimit(resource.RLIMIT_CPU)[1]))

    folders = (job["folder"], "/tmp", "/dev/shm", "/", os.getcwd(), job["cache"])
    return {
        "read files": all([prevented(lambda p=p: read(p)) for p in job["secrets"]]),
        "write files": all([prevented(lambda f=f: write(f)) for f in folders]),
        "network": all([prevented(lambda: connect(socket.AF_INET, ("127.0.0.1", job["port"]))),
                        prevented(lambda: connect(socket.AF_UNIX, job["unix"]))]),
        "start processes": prevented(fork),
        "signal other processes": prevented(lambda: os.kill(job["driver"], 0)),
        "more memory": prevented(allocate),
        "change limits": prevented(raise_limit),
        "new namespaces": prevented(lambda: _check(_libc().unshare(0x10000000))),
        "own process ids": os.getpid() == 1,
    }


# ------------------------------------------------------------------------------------------ starting a zygote

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


def _cache_folder():
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


class Jail:
    """A zygote in the strongest isolation this machine gives. `lane()` opens a connection that renders one at
    a time.

    `memory` is in MiB for each program. Attributes: `mode` ("bwrap" or "plain"), `prevented` (what a test
    program tried, and whether it was stopped), `safe`. Raises RuntimeError with the zygote's own words if
    none starts.
    """

    def __init__(self, memory=1024):
        self.memory = memory
        weak, reasons = None, []
        for mode in MODES:
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
        if self._process is None and weak:
            self._start(weak)
        self.reasons = reasons
        if self._process is None:
            raise RuntimeError("no render process could be started: " + "; ".join(reasons))

    _process = _control = _heavy = None

    def _command(self, mode, fd):
        readable, site = _python_paths()
        here = os.path.dirname(os.path.abspath(__file__))
        cache = _cache_folder()
        files = [os.path.join(here, name) for name in ("_zygote.py", "sandbox.py")]
        environment = {"PATH": "/usr/bin:/bin", "HOME": "/", "LANG": "C.UTF-8", "PYTHONHASHSEED": "0",
                       "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": os.pathsep.join(site),
                       "PYTHONNOUSERSITE": "1", "MPLBACKEND": "agg", "MPLCONFIGDIR": cache, "TZ": "UTC",
                       # allocators that reserve gigabytes of addresses would meet the memory limit
                       "ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_ARENA_MAX": "2",
                       "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        task = {"readable": readable, "memory": self.memory, "mode": mode}
        command = [sys.executable, "-B", files[0], str(fd), json.dumps(task)]
        if mode == "bwrap":
            bwrap = shutil.which("bwrap")
            if bwrap is None:
                raise OSError("bubblewrap is not installed (apt-get install bubblewrap)")
            flags = ["--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts",
                     "--uid", "0", "--gid", "0", "--cap-add", "ALL", "--as-pid-1", "--proc", "/proc",
                     "--dir", "/dev"]
            binaries = [os.path.dirname(os.path.realpath(sys.executable)), os.path.dirname(sys.executable)]
            for path in sorted(dict.fromkeys(readable + binaries + files), key=len):
                flags += ["--dev-bind" if path.startswith("/dev/") else "--ro-bind", path, path]
            flags += ["--bind", cache, cache, "--chdir", "/", "--remount-ro", "/"]
            command = [bwrap, *flags, *command]
        return command, environment, cache

    def _start(self, mode):
        ours, theirs = socket.socketpair()
        self._control, self.mode, self.safe = ours, mode, False
        with theirs, tempfile.TemporaryFile() as errors:
            command, environment, cache = self._command(mode, theirs.fileno())
            self._process = subprocess.Popen(command, env=environment, cwd="/", stdin=subprocess.DEVNULL,
                                             stdout=subprocess.DEVNULL, stderr=errors,
                                             pass_fds=(theirs.fileno(),), start_new_session=True)
            theirs.close()
            ours.settimeout(600)
            ready = ours.recv(1)
            if ready != b"R":
                self._process.wait()
                errors.seek(0)
                text = errors.read().decode(errors="replace").strip()[-600:]
                raise RuntimeError(text or f"the render process ended with status {self._process.returncode}")
            ours.settimeout(None)
        self.prevented = self._test(cache)
        needed = [k for k in self.prevented if k != "own process ids"]
        self.safe = all(self.prevented[k] for k in needed)

    def _test(self, cache):
        """Have a jailed program try to break out of this very jail; see `attempt_everything`."""
        with tempfile.TemporaryDirectory(prefix="rrvf-") as folder, socket.socket() as tcp, \
                socket.socket(socket.AF_UNIX) as unix, self.lane() as lane:
            secret = os.path.join(folder, "secret")
            with open(secret, "w") as file:
                file.write("x")
            tcp.bind(("127.0.0.1", 0))
            tcp.listen()
            unix.bind(os.path.join(folder, "socket"))
            unix.listen()
            job = {"secrets": [secret, f"/proc/{os.getpid()}/environ", "/etc/passwd"], "folder": folder,
                   "cache": cache, "port": tcp.getsockname()[1], "unix": os.path.join(folder, "socket"),
                   "driver": os.getpid(), "memory": self.memory}
            outcome = run(lane, json.dumps(job), "selftest", cpu=10, wall=60)
        if not isinstance(outcome.report, dict) or "prevented" not in outcome.report:
            raise RuntimeError(f"the isolation test did not finish: {outcome.status} {outcome.report}")
        return outcome.report["prevented"]

    def alive(self):
        """Whether it still runs. Asked after a lane was lost, so a zygote that is just dying gets a moment."""
        try:
            self._process.wait(0.2)
        except subprocess.TimeoutExpired:
            return True
        return False

    def lane(self, heavy=False):
        """A socket to a process forked from the zygote that runs one program at a time; for `run`. Raises
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
        if self._process is not None:
            try:
                self._process.wait(2)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = self._control = self._heavy = None


@dataclasses.dataclass
class Outcome:
    """What came back of one program: `status` in words ("" if it ended by itself), report and raw pixels."""
    status: str
    report: dict | None
    pixels: bytes | None
    cpu: float
    seconds: float
    lost: bool = False          # something outside ended it, not the program or a limit: worth a second try


def _memory_file():
    if hasattr(os, "memfd_create"):
        import fcntl
        fd = os.memfd_create("render", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(fd, MEMFD_BYTES)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
        return fd
    with tempfile.TemporaryFile() as file:
        file.truncate(MEMFD_BYTES)
        return os.dup(file.fileno())


def run(lane, code, language, cpu, wall, size=None):
    """Run one program in a lane of a `Jail` and wait for it -> `Outcome`. Never raises for what the program
    does.

    `cpu` and `wall` are seconds. Pixels are RGB bytes, checked against the width and height in the report.
    """
    start = time.perf_counter()
    text = code.encode("utf-8", "surrogatepass")
    if len(text) > HEAD - 4096:
        words = f"the program is {len(text)} bytes long; the limit is {HEAD - 4096}"
        return Outcome(words, None, None, 0.0, 0.0)
    fd = _memory_file()
    try:
        os.pwrite(fd, text, 0)
        job = {"language": language, "length": len(text), "cpu": cpu, "wall": wall, "size": size}
        answer = b""
        try:
            socket.send_fds(lane, [json.dumps(job).encode() + b"\n"], [fd])
            lane.settimeout(wall + 30)
            while not answer.endswith(b"\n"):
                part = lane.recv(4096)
                if not part:
                    raise OSError("the render process ended")
                answer += part
            end = json.loads(answer)
        except (OSError, ValueError) as error:
            seconds = time.perf_counter() - start
            return Outcome(f"the render process was lost ({error})", None, None, 0.0, seconds, lost=True)
        # Read only now: the program is dead, so nothing can change under our eyes.
        report, pixels = _read(fd)
    finally:
        os.close(fd)
    killed = os.WIFSIGNALED(end["status"]) and os.WTERMSIG(end["status"]) == signal.SIGKILL
    return Outcome(_words(end, cpu, wall, report), report, pixels, end["cpu"], time.perf_counter() - start,
                   lost=killed and not end["late"] and end["cpu"] < cpu)


def _read(fd):
    """(report, pixels) from the shared memory; (None, None) unless every field is what it should be."""
    length = int.from_bytes(os.pread(fd, 8, 0)[4:], "little")
    if os.pread(fd, 4, 0) != b"RRVF" or length > HEAD - 8:
        return None, None
    try:
        report = json.loads(os.pread(fd, length, 8))
        width, height = report.get("width", 0), report.get("height", 0)
    except (ValueError, AttributeError, RecursionError):
        return None, None
    if not (type(width) is type(height) is int and min(width, height) >= 0 and width * height <= MAX_PIXELS):
        return None, None
    pixels = os.pread(fd, 3 * width * height, HEAD) if width and height else None
    return report, pixels if pixels and len(pixels) == 3 * width * height else None


def _words(end, cpu, wall, report):
    """Why the program ended, in words; "" if it came to its own end."""
    status = end["status"]
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if end["late"]:
            return f"the program was stopped after {wall:g} s"
        if end["cpu"] >= cpu:
            return f"the program was stopped: it used its {cpu:g} s of CPU time"
        name = signal.Signals(number).name if number in signal.Signals._value2member_map_ else str(number)
        return f"the program crashed ({name})"
    code = os.waitstatus_to_exitcode(status)
    if report is None or code:
        return f"the program ended itself (exit status {code}) before its picture was finished"
    return ""


# --------------------------------------------------------------------------------------------- in plain words

_ROWS = (   # name, the keys of `prevented` it needs, what is not protected without it, what to do about it
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
_BWRAP = ("sudo apt-get install bubblewrap; Ubuntu 24.04 also: "
          "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0; "
          "Docker: docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined ...")
_ALWAYS = ("always unprotected",
           "a program may paint any pixels it likes, use up its own CPU time, and exploit kernel bugs",
           "keep targets out of its reach (done here) and the kernel up to date")


@dataclasses.dataclass(frozen=True)
class Isolation:
    """What keeps programs in on this machine, found by trying. `level` is "namespaces", "filters" or
    "limits".

    `safe` is False on the level "limits": read `rows` (name, active, what is not protected, fixing command)
    first.
    """
    level: str
    safe: bool
    rows: tuple
    reasons: tuple = ()         # why a stronger way could not be used

    def __str__(self):
        lines = [f"isolation: {self.level} ({'safe' if self.safe else 'NOT safe'} for untrusted programs)"]
        for name, active, missing, fix in self.rows:
            lines.append(f"  yes {name}" if active else f"  NO  {name}: {missing}\n      -> {fix}")
        lines.append(f"  {_ALWAYS[0]}: {_ALWAYS[1]}\n      -> {_ALWAYS[2]}")
        return "\n".join(lines + [f"  tried in vain: {reason}" for reason in self.reasons])

    def _repr_html_(self):
        rows = [(name, "yes" if active else "NO", "" if active else missing, "" if active else fix)
                for name, active, missing, fix in self.rows] + [(_ALWAYS[0], "", _ALWAYS[1], _ALWAYS[2])]
        left = "style='text-align:left'"         # a notebook's own style would set text to the right
        body = "".join("<tr>" + "".join(f"<td {left}>{html.escape(cell)}</td>" for cell in row) + "</tr>"
                       for row in rows)
        reasons = "".join(f"<li>{html.escape(reason)}</li>" for reason in self.reasons)
        if reasons:
            reasons = f"<details><summary>tried in vain</summary><ul>{reasons}</ul></details>"
        return (f"<table><caption>Isolation of rendered programs: {html.escape(self.level)}, "
                f"{'safe' if self.safe else 'NOT safe'} for untrusted programs</caption><tr>"
                + "".join(f"<th scope=col {left}>{name}</th>" for name in (
                    "layer", "active", "what is not protected", "what to do")) + f"</tr>{body}</table>{reasons}")


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
    rows = tuple((name, all(map(jail.prevented.get, keys)), missing, fix.format(wall=wall, bwrap=_BWRAP))
                 for name, keys, missing, fix in _ROWS)
    level = "limits" if not jail.safe else "namespaces" if jail.mode == "bwrap" else "filters"
    return Isolation(level, jail.safe, rows, tuple(jail.reasons))


def doctor():
    """Print (in a notebook: show) what isolates programs and Chromium here, what does not, what to do -> `Isolation`.

    Starts both to find out, which takes some seconds. Raises RuntimeError when no program can be run at all.
    """
    from .chromium import protection_row
    isolation = describe()
    isolation = dataclasses.replace(isolation, rows=(*isolation.rows, protection_row()))
    if "ipykernel" not in sys.modules:
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
