"""What a program is confined by: the layers that a process puts on itself, and a program that tries them all.

Resource limits, a Landlock rule set (only the Python libraries and fonts may be read), a seccomp list of the
calls that plotting needs (no sockets, no new processes, no file opened for writing), no capabilities, and a
pid namespace of its own. Each is for the process that calls it and its children, for good. Whether they hold
is always tested by their effect (`attempt_everything`), never assumed.

Where namespaces and Landlock both work, a program also gets a small folder in memory of its own (`FOLDER`),
mounted where only it can see it, which is gone when the program is. The calls that write files are allowed
then, as nothing else is writable: all else is mounted read-only, and Landlock lets write in that folder only.

It does NOT protect against kernel bugs, against a program that wastes its own CPU allowance, against side
channels, or against a program that paints any pixels it likes: pixels cannot be trusted, so no target may be
readable here. On macOS, and on Linux without namespaces and without Landlock, programs can read the user's
files: `doctor()` says so.

Left out: starting the processes (`jail`, `_zygote`) and running a program in them (`job`). Only the standard
library is used and nothing of ours, as the zygote loads this file by itself.
"""

import ctypes
import math
import mmap
import os
import platform
import resource
import socket
import struct
import sys

HEAD = 256 * 1024                  # bytes before the pixels: first the program, then its report
MAX_PIXELS = 4_000_000
MEMFD_BYTES = HEAD + 4 * MAX_PIXELS
FOLDER = "/files/own"              # in mode "bwrap": where a program's own folder is mounted
FOLDER_BYTES, FOLDER_FILES = 32 * 2**20, 1024
MODES = ("bwrap", "plain")         # in this order; tests force "limits" (rlimits only), "bare" (nothing)

# --------------------------------------------------------------------------------- seccomp: the calls allowed

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
# those that change files, for a program that has a folder of its own
_FILE_CALLS = """
openat=257/56 open=2/ creat=85/ mkdir=83/ mkdirat=258/34 rmdir=84/ unlink=87/ unlinkat=263/35 rename=82/
renameat=264/38 renameat2=316/276 link=86/ linkat=265/37 symlink=88/ symlinkat=266/36 truncate=76/45
chmod=90/ fchmod=91/52 fchmodat=268/53 utime=132/ utimes=235/ utimensat=280/88 fallocate=285/47
sendfile=40/71
"""
_ARCH = {"x86_64": (0, 0xC000003E, 317), "aarch64": (1, 0xC00000B7, 277)}     # column, AUDIT_ARCH, seccomp()
_EPERM, _EROFS, _ENOSYS, _ENOTSUP = 1, 30, 38, 95
_CLONE_THREAD, _NEWNS, _NEWPID = 0x10000, 0x20000, 0x20000000


def _libc():
    return ctypes.CDLL(None, use_errno=True)


def _check(result):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


class _Filter:
    """A seccomp filter being written: instructions of `struct sock_filter`, for one kind of processor.

    A method either ends the filter's run (`allow`, `deny`) or, with `call`, says what holds for one system
    call. Arguments are compared by their low word: `argument` 0 is the first.
    """

    ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
    LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
    NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16          # where `struct seccomp_data` holds them

    def __init__(self, column):
        self.column, self.code = column, []

    def op(self, op_code, k, jt=0, jf=0):
        """One instruction; `jt` and `jf` are the instructions skipped when a test holds and when not."""
        self.code.append(struct.pack("<HBBI", op_code, jt, jf, k & 0xFFFFFFFF))

    def allow(self):
        self.op(self.RETURN, self.ALLOW)

    def deny(self, number=_EPERM):
        self.op(self.RETURN, self.ERRNO | number)

    def argument(self, argument):
        self.op(self.LOAD, self.ARGUMENTS + 8 * argument)

    def call(self, numbers, rule):
        """If it is this call (numbers per processor, None: it has none): `rule`, which ends the run."""
        number = numbers[self.column]
        if number is not None:
            start = len(self.code)
            self.op(self.EQUAL, number)
            rule()
            self.code[start] = struct.pack("<HBBI", self.EQUAL, 0, len(self.code) - start - 1, number)

    def machine(self, architecture):
        """Kill what calls by another architecture's table; then load the call's number."""
        self.op(self.LOAD, self.ARCHITECTURE)
        self.op(self.EQUAL, architecture, 1, 0)
        self.op(self.RETURN, self.KILL)
        self.op(self.LOAD, self.NUMBER)
        if self.column == 0:                     # the x32 call table
            self.op(self.AT_LEAST, 0x40000000, 0, 1)
            self.deny(_ENOSYS)

    def one_of(self, argument, values):
        """Allowed only when the argument is one of these."""
        self.argument(argument)
        for value in values:
            self.op(self.EQUAL, value, 0, 1)
            self.allow()
        self.deny()

    def unless(self, argument, mask, number):
        """Denied with `number` when the argument has a bit of `mask`."""
        self.argument(argument)
        self.op(self.ANY_BIT, mask, 0, 1)
        self.deny(number)
        self.allow()

    def threads_only(self):
        self.argument(0)
        self.op(self.ANY_BIT, _CLONE_THREAD, 0, 1)
        self.allow()
        self.deny()

    def no_new_limit(self):
        """prlimit64 may read limits: its third argument, a pointer to new ones, must be NULL, both halves."""
        for half in (0, 4):
            self.op(self.LOAD, self.ARGUMENTS + 8 * 2 + half)
            self.op(self.EQUAL, 0, 1, 0)
            self.deny()
        self.allow()

    def stream_pair(self):
        """Stream sockets of the local kind: datagram sockets could send to any path."""
        self.argument(0)
        self.op(self.EQUAL, 1, 1, 0)
        self.deny()
        self.one_of(1, (1, 0x801, 0x80001, 0x80801))


def seccomp_program(pid, files=False):
    """The filter as bytes of `struct sock_filter` for a child whose own process id is `pid`.

    `files`: it has a folder of its own, so it may make and change files.

    None on machines it is not written for.
    """
    if sys.platform != "linux" or platform.machine() not in _ARCH:
        return None
    column, architecture, _ = _ARCH[platform.machine()]
    f = _Filter(column)
    f.machine(architecture)
    for item in (_CALLS + _FILE_CALLS * files).split():
        numbers = item.split("=")[1].split("/")
        f.call([int(number) if number else None for number in numbers], f.allow)
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
    if not files:
        f.call((257, 56), lambda: f.unless(2, writing, _EROFS))                 # openat
        f.call((2, None), lambda: f.unless(1, writing, _EROFS))                 # open
    f.call((56, 220), f.threads_only)                                           # clone
    f.call((302, 261), f.no_new_limit)                                          # prlimit64
    f.call((157, 167), lambda: f.one_of(0, (3, 15, 16, 23, 0x53564D41)))     # prctl: names, harmless reads
    f.call((16, 29), lambda: f.one_of(1, (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)))  # ioctl: terminal
    f.call((72, 25), lambda: f.one_of(1, (0, 1, 2, 3, 4, 5, 6, 7, 1030, 1034)))              # fcntl
    f.call((62, 129), lambda: f.one_of(0, (pid,)))                              # kill
    f.call((234, 131), lambda: f.one_of(0, (pid,)))                             # tgkill
    f.call((53, 199), f.stream_pair)                                            # socketpair, for asyncio
    f.call((435, 435), lambda: f.deny(_ENOSYS))                                 # clone3: libc then uses clone
    f.call((437, 437), lambda: f.deny(_ENOSYS))                                 # openat2
    for extended in ((191, 8), (192, 9), (194, 11), (195, 12), (196, 13)):                 # attributes: none
        f.call(extended, lambda: f.deny(_ENOTSUP))
    f.deny()
    return b"".join(f.code)


def apply_seccomp(program):
    """Install the filter on this process for good. Raises OSError where the kernel has none."""
    buffer = ctypes.create_string_buffer(program, len(program))
    fprog = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(buffer)))
    no_new_privs()
    _check(_libc().syscall(_ARCH[platform.machine()][2], 1, 4, fprog))      # SET_MODE_FILTER, SPEC_ALLOW


def no_new_privs():
    """Neither this process nor its children gain rights by exec; the layers above need it."""
    if sys.platform == "linux":
        _check(_libc().prctl(38, 1, 0, 0, 0))


# ----------------------------------------------------------------------------------------------- other layers

_READ, _READ_FOLDER = 0b0100, 0b1100
# read and write files, list, remove and make folders, files and links, move and cut files: no device, socket
_OWN = 0b0111_0001_1011_1110


def landlock_rules(readable):
    """A descriptor of the rules: read only below `readable`, write only in FOLDER and /dev/null. Raises
    OSError.

    `apply_landlock` puts them on a process. The rule for the folder above FOLDER holds for what is mounted on
    FOLDER.
    """
    if sys.platform != "linux" or platform.machine() not in _ARCH:
        raise OSError(_ENOSYS, "Landlock needs Linux")
    libc = _libc()
    abi = _check(libc.syscall(444, None, ctypes.c_size_t(0), 1))
    rights = (1 << (13 + (abi >= 2) + (abi >= 3) + (abi >= 5))) - 1
    attributes = struct.pack("<QQQ", rights, 3 if abi >= 4 else 0, 3 if abi >= 6 else 0)
    rules = _check(libc.syscall(444, attributes, ctypes.c_size_t(8 if abi < 4 else 16 if abi < 6 else 24), 0))
    above = os.path.dirname(FOLDER)
    for path in (*readable, above):
        try:
            fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            wanted = _READ_FOLDER if os.path.isdir(path) else _READ
            wanted = {above: _OWN & rights, os.devnull: 0b0110}.get(path, wanted)
            _check(libc.syscall(445, rules, 1, struct.pack("<Qi", wanted, fd), 0))
        finally:
            os.close(fd)
    return rules


def apply_landlock(rules):
    """Put the rules of `landlock_rules` on this process and its children. Raises OSError."""
    no_new_privs()
    _check(_libc().syscall(446, rules, 0))


def own_folder():
    """Mount an empty folder in memory at FOLDER, for this process and its children alone. Raises OSError.

    It holds `work`, which becomes the working folder and home, and `tmp`.
    """
    libc = _libc()
    _check(libc.unshare(_NEWNS))
    nosuid_nodev_noexec = 2 | 4 | 8
    options = f"size={FOLDER_BYTES},nr_inodes={FOLDER_FILES},mode=700".encode()
    _check(libc.mount(b"own", FOLDER.encode(), b"tmpfs", ctypes.c_ulong(nosuid_nodev_noexec), options))
    for name in ("work", "tmp"):
        os.mkdir(os.path.join(FOLDER, name))
    os.chdir(os.path.join(FOLDER, "work"))
    os.environ.update(HOME=os.getcwd(), TMPDIR=os.path.join(FOLDER, "tmp"))


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


# ---------------------------------------------------------------------------------------------- does it hold?

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
        # not `open`, which may keep a program's files in its own memory
        os.close(os.open(os.path.join(folder, job["mark"]), os.O_WRONLY | os.O_CREAT))

    def allocate():
        mmap.mmap(-1, (job["memory"] + 64) * 2**20).close()

    def raise_limit():
        resource.setrlimit(resource.RLIMIT_CPU, (1, resource.getrlimit(resource.RLIMIT_CPU)[1]))

    own = FOLDER if os.getcwd().startswith(FOLDER) else "none"       # `Jail` looks whether it is seen outside
    folders = [p for p in map(os.path.realpath, (job["folder"], "/tmp", "/dev/shm", "/", job["cache"],
                                                 os.getcwd())) if not p.startswith(own)]
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
