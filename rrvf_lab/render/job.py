"""Run one program in a lane of the jail and wait for it -> `Outcome`: why it ended, its report, its pixels.

The program goes in and the picture comes out through memory shared with the child; it is read only after the
child is dead, and nothing in it is believed: every field is checked.

Left out: what the child does (`_zygote`), and what becomes of a failure (`lanes` tries once more, `renderer`
makes a `Rendering`).
"""

import dataclasses
import json
import os
import signal
import socket
import tempfile
import time

from .sandbox import HEAD, MAX_PIXELS, MEMFD_BYTES


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
    """A descriptor of zeros that a child can neither shrink nor grow."""
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

    `cpu` and `wall` are seconds, `size` is (width, height) in pixels or None. Pixels are RGB bytes, checked
    against the width and height in the report.
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
        try:
            end = _send(lane, job, fd)
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


def _send(lane, job, fd):
    """Hand a job and its memory to a lane and wait -> how the child ended: {"status", "late", "cpu"}."""
    socket.send_fds(lane, [json.dumps(job).encode() + b"\n"], [fd])
    lane.settimeout(job["wall"] + 30)
    answer = b""
    while not answer.endswith(b"\n"):
        part = lane.recv(4096)
        if not part:
            raise OSError("the render process ended")
        answer += part
    return json.loads(answer)


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
