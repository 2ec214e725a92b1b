"""Programs that attack, by what they are after, and what there is to steal, reach and break: `Scene`.

The first of each family in FAMILIES always runs; the others only when asked for.
"""
import os
import socket
import subprocess
import time
from pathlib import Path

import matplotlib
import pytest
from PIL import Image

from rrvf_lab.render import jail

MEMORY = 517        # MiB; also how this file's processes are told from others
SECRET = "s3cret-5f1e77"
HONEST = "import matplotlib.pyplot as plt\nplt.figure(figsize=(2, 1.5))\nplt.bar([1, 2], [3, 4])\n"
ENDLESS = {"swallow", "ignore_signals", "flood_stdout", "evil_str_loop", "busy_thread", "many_figures",
           "fd_bomb"}

FAMILIES = {
    "reading": {
        "read_target": "import matplotlib.pyplot as plt; plt.figimage(plt.imread(S['target'])); plt.show()",
        "read_secret": "print(open(S['secret']).read())",
        "read_secret_low": "import os; print(os.read(os.open(S['secret'], os.O_RDONLY), 99))",
        "read_target_raw": "print(open(S['target'], 'rb').read().hex())",
        "read_symlink": "import os; os.symlink(S['secret'], '/tmp/rrvf-mark'); "
                        "print(open('/tmp/rrvf-mark').read())",
        "read_hardlink": "import os; os.link(S['secret'], S['folder'] + '/rrvf-mark')",
        "read_proc_root": "print(open(f\"/proc/{S['driver']}/root{S['secret']}\").read())",
        "read_self_root": "print(open('/proc/self/root' + S['secret']).read())",
        "read_parent_cwd": "import os; print(os.listdir('/proc/%d/cwd' % os.getppid()), "
                           "os.listdir(f\"/proc/{S['driver']}/cwd\"))",
        "read_own_environment": "import os; print(dict(os.environ))",
        "read_driver_environment": "print(open(f\"/proc/{S['driver']}/environ\").read())",
        "read_driver_memory": "f = open(f\"/proc/{S['driver']}/mem\", 'rb'); f.seek(S['address']); "
                              "print(f.read(40))",
        "read_process_vm": """import ctypes
class V(ctypes.Structure): _fields_ = [('a', ctypes.c_void_p), ('n', ctypes.c_size_t)]
b = ctypes.create_string_buffer(40)
here, there = V(ctypes.addressof(b), 40), V(S['address'], 40)
ctypes.CDLL(None).process_vm_readv(S['driver'], ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
print(b.raw)""",
        "read_descriptors": """import os
for fd in range(3, 300):
    for how in (lambda: os.pread(fd, 99, 0), lambda: os.read(fd, 99)):
        try: print(how())
        except OSError: pass""",
        "read_parent_descriptors": """import os
for fd in range(100):
    for pid in (os.getppid(), S['driver'], 1):
        try: print(open(f'/proc/{pid}/fd/{fd}', 'rb').read(200))
        except OSError: pass""",
        "list_folders": """import os
above, home = os.path.dirname(S['folder']), os.path.expanduser('~')
for place in (S['folder'], above, S['repo'], home, '/home', '/root'):
    try: print(os.listdir(place))
    except OSError: pass""",
        "read_data_folder": "import glob; print([open(p, 'rb').read(9) for p in glob.glob(S['repo'] + "
                            "'/data/**/*', recursive=True)])",
        "list_processes": "import os; print([open(f'/proc/{p}/cmdline').read() for p in "
                          "os.listdir('/proc') if p.isdigit()])",
    },
    "writing": {
        "write_everywhere": """import os
for place in (S['folder'], '/tmp', '/dev/shm', '/var/tmp', '/', '.', S['cache'], S['packages'], S['repo']):
    for flags in (os.O_CREAT | os.O_WRONLY, os.O_RDWR | os.O_CREAT | os.O_TRUNC):
        try: os.write(os.open(place + '/rrvf-mark', flags), b'x')
        except OSError: pass""",
        "write_matplotlib": "import matplotlib.pyplot as plt; plt.plot([1]); plt.savefig(S['folder'] + "
                            "'/rrvf-mark.png')",
        "write_tmpfile": """import os
os.open('/tmp', os.O_TMPFILE | os.O_RDWR)""",
        "overwrite_secret": "import os; os.truncate(S['secret'], 0)",
        "rename_secret": "import os; os.rename(S['secret'], S['secret'] + '2')",
        "delete_secret": "import os; os.unlink(S['secret'])",
        "chmod_secret": "import os; os.chmod(S['secret'], 0o777)",
        "make_nodes": "import os; os.mkfifo(S['folder'] + '/rrvf-mark'); os.mknod('/tmp/rrvf-mark')",
        "make_folder_low": "import ctypes; ctypes.CDLL(None).mkdir((S['folder'] + '/rrvf-mark').encode(), "
                           "0o777)",
        "poison_fonts": "import os, glob; [os.remove(p) for p in glob.glob(S['cache'] + '/*')]; "
                        "os.truncate(S['cache'] + '/x', 0)",
        "carry_out": "import os; open('rrvf-mark', 'w').write('x'); os.rename('rrvf-mark', S['folder'] + "
                     "'/rrvf-mark')",
        "link_out": "import os; os.symlink(S['folder'], 'out'); os.open('out/rrvf-mark', os.O_CREAT | "
                    "os.O_WRONLY)",
        "climb_out": "import os; os.open('../' * 9 + S['folder'] + '/rrvf-mark', os.O_CREAT | os.O_WRONLY)",
        "own_node": "import os; os.mknod('rrvf-mark', 0o20666, os.makedev(1, 1)); open('rrvf-mark').read()",
        "own_socket": "import socket; socket.socket(socket.AF_UNIX).bind('rrvf-mark')",
        "own_library": "import ctypes, glob, shutil; "
                       "shutil.copy(glob.glob('/usr/lib/*/libc.so.6')[0], 'rrvf-mark.so'); "
                       "ctypes.CDLL('./rrvf-mark.so').mkdir(S['folder'].encode(), 0)",
        "unmount": "import ctypes, os; ctypes.CDLL(None).umount2(b'/files/own', 2); "
                   "os.open('/files/own/rrvf-mark', os.O_CREAT | os.O_WRONLY)",
        "core_pattern": "import os; os.write(os.open('/proc/sys/kernel/core_pattern', os.O_WRONLY), "
                        "b'|/rrvf-mark')",
    },
    "network": {
        "tcp": "import socket; socket.create_connection(('127.0.0.1', S['tcp']), 1).send(b'x')",
        "udp": "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', "
               "S['udp']))",
        "unix_stream": "import socket; socket.socket(socket.AF_UNIX).connect(S['unix'])",
        "unix_datagram": "import socket; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'x', "
                         "S['dgram'])",
        "unix_pair_datagram": "import socket; socket.socketpair(socket.AF_UNIX, "
                              "socket.SOCK_DGRAM)[0].sendto(b'x', S['dgram'])",
        "unix_pair_stream": "import socket; socket.socketpair()[0].sendto(b'x', S['dgram'])",
        "unix_abstract": "import socket; socket.socket(socket.AF_UNIX).connect('\\0' + S['abstract'])",
        "url": "import urllib.request; urllib.request.urlopen(f\"http://127.0.0.1:{S['tcp']}/\", timeout=1)",
    },
    "processes": {
        "kill_everything": """import os
for pid in (S['victim'], os.getppid(), S['driver']):
    try: os.kill(pid, 9)
    except OSError: pass""",
        "fork_bomb": "import os\nfor _ in range(7): os.fork()",
        "daemon": """import os
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True: pass""",
        "subprocess": "import subprocess; subprocess.run(['/bin/sh', '-c', 'touch ' + S['folder'] + "
                      "'/rrvf-mark /tmp/rrvf-mark'])",
        "exec": "import os; os.execv('/usr/bin/touch', ['touch', '/tmp/rrvf-mark'])",
        "raw_fork": "import ctypes; print([ctypes.CDLL(None).syscall(n, 17, 0, 0, 0, 0) for n in (57, 58, "
                    "56, 220)])",
        "kill_group": "import os; os.killpg(os.getpgid(os.getppid()), 9)",
        "queue_signal": "import ctypes; ctypes.CDLL(None).sigqueue(S['victim'], 9, None)",
        "ptrace": "import ctypes, os; [ctypes.CDLL(None).ptrace(16, p, None, None) for p in (S['victim'], "
                  "os.getppid())]",
        "user_namespace": "import ctypes; assert ctypes.CDLL(None).unshare(0x10020000) == 0; "
                          "open(S['secret'])",
        "mount": "import ctypes; ctypes.CDLL(None).mount(b'none', b'/tmp', b'tmpfs', 0, None); "
                 "ctypes.CDLL(None).chroot(b'/tmp')",
        "become_root": "import os; os.setuid(0); print(open(S['secret']).read())",
        "kernel_doors": """import ctypes
# io_uring, bpf, userfaultfd, perf, keyctl, memfd, open_by_handle_at
print([ctypes.CDLL(None).syscall(n, 1, 0, 0, 0, 0) for n in (425, 321, 323, 298, 250, 319, 304)])""",
    },
    "exhausting": {
        "memory_bomb": "x = []\nwhile True: x.append(bytearray(10**8))",
        "memfd_bomb": """import os
fd = os.memfd_create('x')
while True: os.write(fd, b'x' * 10**7)""",
        "fill_folder": """import os
n = 0
while True:
    n += 1
    with open(f'f{n}', 'wb') as f: f.write(bytes(2**22))""",
        "many_files": "import os\nfor n in range(10**6): os.mkdir(f'd{n}'); os.chdir(f'd{n}')",
        "thread_bomb": "import threading, select\nwhile True: threading.Thread(target=lambda: "
                       "select.select([], [], [], 99)).start()",
        "fd_bomb": "import os\nwhile True: os.dup(0)",
        "flood_stdout": "while True: print('x' * 10**6)",
        "many_figures": "import matplotlib.pyplot as plt\nwhile True: plt.figure().add_subplot()",
        "huge_figure": "import matplotlib.pyplot as plt; plt.figure(figsize=(1000, 1000)); plt.plot([1]); "
                       "plt.savefig('x')",
        "huge_tight": "import matplotlib.pyplot as plt; plt.plot([1]); plt.text(1e5, 1e5, 'x'); "
                      "plt.savefig('x', bbox_inches='tight')",
        "limits_up": "import resource; resource.setrlimit(resource.RLIMIT_CPU, (-1, -1))\nwhile True: pass",
        "swallow": "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "ignore_signals": """import signal
for n in range(1, 65):
    try: signal.signal(n, signal.SIG_IGN)
    except (OSError, ValueError): pass
while True: pass""",
        "busy_thread": "import threading\ndef f():\n    while True: "
                       "pass\nthreading.Thread(target=f).start(); threading.Thread(target=f).start()",
        "long_program": "x = '" + "y" * 10**6 + "'",
    },
    "crashing": {
        "segfault": "import ctypes; ctypes.string_at(0)",
        "abort": "import os; os.abort()",
        "exit": "import os; os._exit(0)",
        "recursion": "import sys; sys.setrecursionlimit(10**9)\ndef f(): f()\nf()",
        "evil_str": "class E(Exception):\n    def __str__(self): raise SystemExit(0)\nraise E()",
        "evil_str_loop": "class E(Exception):\n    def __str__(self):\n        while True: pass\nraise E()",
        "long_error": "raise ValueError('x' * 10**7)",
        "odd_text": "raise ValueError('\\ud800\\0\\x1b[31m<script>')",
        "null_byte": "x = 1\0",
    },
    "result": {
        "giant_picture": "import os; t = b'{\"width\": 1000000000, \"height\": 1000000000}'; "
                         "os.pwrite(3, b'RRVF' + len(t).to_bytes(4, 'little') + t, 0); os._exit(0)",
        "garbage_result": "import os; os.pwrite(3, os.urandom(200000), 0); os._exit(0)",
        "huge_result": "import os; os.pwrite(3, b'RRVF' + b'\\xff' * 4, 0); os._exit(0)",
        "negative_picture": "import os; t = b'{\"width\": -5, \"height\": true, \"error\": [1]}'; "
                            "os.pwrite(3, b'RRVF' + len(t).to_bytes(4, 'little') + t, 0); os._exit(0)",
        "nested_result": "import os; t = b'[' * 200000; os.pwrite(3, b'RRVF' + len(t).to_bytes(4, "
                         "'little') + t, 0); os._exit(0)",
        "list_result": "import os; t = b'[]'; os.pwrite(3, b'RRVF' + len(t).to_bytes(4, 'little') + t, 0); "
                       "os._exit(0)",
        "shrink_result": "import os; os.ftruncate(3, 0); os.close(3)",
        "break_json": "import json; json.dumps = None; import matplotlib.pyplot as plt; plt.plot([1])",
    },
}
ATTACKS = {name: code for family in FAMILIES.values() for name, code in family.items()}


def processes():
    """Our jail's processes, whatever became of their parents."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
        except OSError:
            continue
        if b"_zygote.py" in line and f'"memory": {MEMORY}'.encode() in line:
            found.add(path.parent.name)
    return found


class Scene:
    """What there is to steal, reach and break, and `intact()` to look whether anything was."""

    def __init__(self, folder, renderer):
        self.folder, self.renderer = Path(folder), renderer
        secret, target = self.folder / "secret.txt", self.folder / "target.png"
        secret.write_text(SECRET)
        Image.new("RGB", (640, 480), (255, 0, 255)).save(target)
        self.open_file = os.open(secret, os.O_RDONLY)
        os.set_inheritable(self.open_file, True)
        os.environ["RRVF_TEST_KEY"] = SECRET
        self.buffer = SECRET.encode()
        streams = socket.AF_INET, socket.AF_UNIX, socket.AF_UNIX
        self.tcp, self.unix, self.abstract = map(socket.socket, streams)
        self.udp, self.dgram = (socket.socket(f, socket.SOCK_DGRAM) for f in (socket.AF_INET, socket.AF_UNIX))
        name = f"rrvf-{os.getpid()}-{id(self)}"
        anywhere = ("127.0.0.1", 0)
        stream, dgram = str(self.folder / "stream"), str(self.folder / "dgram")
        for s, address in ((self.tcp, anywhere), (self.udp, anywhere), (self.abstract, "\0" + name),
                           (self.unix, stream), (self.dgram, dgram)):
            s.bind(address)
            s.setblocking(False)
        for s in (self.tcp, self.unix, self.abstract):
            s.listen()
        self.victim = subprocess.Popen(["sleep", "3600"])
        self.places = [self.folder, Path("/tmp"), Path("/dev/shm"), Path("/var/tmp"), Path("/"), Path.cwd(),
                       Path.home(), Path(jail.cache_folder()), Path(matplotlib.__file__).parent]
        self.known = {
            "secret": str(secret), "target": str(target), "folder": str(folder), "driver": os.getpid(),
            "victim": self.victim.pid, "tcp": self.tcp.getsockname()[1], "udp": self.udp.getsockname()[1],
            "unix": stream, "dgram": dgram, "abstract": name,
            "address": id(self.buffer) + 32, "repo": str(Path(jail.__file__).parents[2]),
            "cache": jail.cache_folder(), "packages": str(Path(matplotlib.__file__).parent)}
        self.reference = renderer.render(HONEST).image.tobytes()
        self.count, self.listing, self.mode = 0, self.look(), secret.stat().st_mode
        self.pattern = Path("/proc/sys/kernel/core_pattern").read_text()
        self.processes = processes()

    def close(self):
        self.victim.kill()
        self.victim.wait()
        os.close(self.open_file)
        for s in (self.tcp, self.unix, self.udp, self.dgram, self.abstract):
            s.close()
        os.environ.pop("RRVF_TEST_KEY", None)

    def look(self):
        return {p.name: (p.stat().st_size, p.stat().st_mode) for p in self.folder.iterdir()}, \
            sorted(p.name for p in Path(jail.cache_folder()).iterdir())

    def attack(self, code):
        return self.renderer.render(f"S = {self.known!r}\n{code}")

    def intact(self, rendering):
        told = f"{rendering.error} {rendering.printed}"
        for secret in (SECRET, SECRET.encode().hex(), "secret.txt", "89504e47"):
            assert secret not in told.replace(self.known["secret"], ""), "it told a secret"
        if rendering.image is not None:
            colours = [colour for _, colour in rendering.image.getcolors(2**24)]
            assert (255, 0, 255) not in colours, "it painted the target"
        assert self.look() == self.listing, "a file changed"
        assert (self.folder / "secret.txt").read_text() == SECRET
        for place in self.places:
            assert not list(place.glob("rrvf-mark*")), f"it wrote to {place}"
        for s in (self.tcp, self.unix, self.abstract):
            with pytest.raises(BlockingIOError):
                s.accept()
        for s in (self.udp, self.dgram):
            with pytest.raises(BlockingIOError):
                s.recv(1)
        assert self.victim.poll() is None, "it killed another process"
        assert Path("/proc/sys/kernel/core_pattern").read_text() == self.pattern
        deadline = time.monotonic() + 20
        while processes() - self.processes and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not processes() - self.processes, "a process was left behind"
        self.count += 1
        after = self.renderer.render(HONEST + f"# {self.count}")
        assert after.error is None, after.error
        assert after.image.tobytes() == self.reference, "the next render is not as before"
