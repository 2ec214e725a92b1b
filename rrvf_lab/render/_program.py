"""Inside the sandbox: run a program as `__main__`, keep the files it cannot write, explain its failure.

Loaded by `_zygote` and the languages, never imported. Left out: figures (`_matplotlib`, `_plotly`).
"""

import base64
import builtins
import errno
import functools
import io
import os
import sys
import traceback
import types

NAME = "program.py"                # what the program is called in its own tracebacks


class CpuLimit(BaseException):
    """Raised inside a program that has used its CPU time, so that its traceback shows where."""


class Tail(io.RawIOBase):
    """A stream that keeps only the last bytes written to it."""

    def __init__(self):
        self.kept = b""

    def writable(self):
        return True

    def write(self, data):
        self.kept = (self.kept + bytes(data[-2000:]))[-2000:]
        return len(data)


def execute(code, namespace):
    """Run the program as `__main__` -> (error or None, text it printed)."""
    out = Tail()
    sys.stdout = sys.stderr = io.TextIOWrapper(out, "utf-8", "replace", write_through=True)
    sys.stdin = io.StringIO()
    sys.argv = [NAME]
    error = None
    try:
        exec(compile(code, NAME, "exec", dont_inherit=True), namespace)
    except BaseException as problem:
        if not (isinstance(problem, SystemExit) and problem.code in (None, 0)):
            error = explain(problem, code)
    return error, out.kept.decode("utf-8", "replace")


def explain(problem, code):
    """The traceback as the program's author needs it: own lines and message, nobody else's frames."""
    lines = code.split("\n")
    text = ["Traceback (most recent call last):"]
    frames = [f for f in traceback.walk_tb(problem.__traceback__) if f[0].f_code.co_filename == NAME]
    for frame, number in frames[-4:]:
        text.append(f'  File "{NAME}", line {number}, in {frame.f_code.co_name}')
        if 0 < number <= len(lines) and lines[number - 1].strip():
            text.append("    " + lines[number - 1].strip()[:200])
    try:
        last = "".join(traceback.format_exception_only(problem)).rstrip()
    except BaseException:
        last = type(problem).__name__
    if not frames:
        text = [] if isinstance(problem, SyntaxError) else ["While the figure was drawn:"]
    if isinstance(problem, CpuLimit):
        last = "TimeoutError: the program used all of its CPU time here"
    if len(last) > 1500:
        last = last[:1000] + " [...] " + last[-500:]          # plotly says what is wrong first, others last
    return "\n".join(text + [last])


def new_main():
    module = types.ModuleType("__main__")
    module.__dict__.update(__builtins__=builtins, __file__=NAME)
    sys.modules["__main__"] = module
    return module.__dict__


# ------------------------------------------------------------------------------------------------------ files

files = {}      # absolute path -> bytes of what was written where nothing can be written
pending = {}    # path -> a function that makes the bytes of a file, until somebody may look for it
patched = []    # whether `save_later` listens already
FORBIDDEN = {errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOENT}
LOOKING = {"open", "os.listdir", "os.scandir", "os.rename", "os.remove", "os.link", "os.symlink", "os.mkdir",
           "os.rmdir", "os.truncate", "os.chmod", "os.utime", "os.chdir", "sqlite3.connect"}


class MemoryFile(io.BytesIO):
    """A file of the program's own, kept in `files` when it is closed."""

    def __init__(self, path, content=b""):
        super().__init__(content)
        self.name, self.path = path, os.path.abspath(path)

    def close(self):
        if not self.closed:
            files[self.path] = self.getvalue()
        super().close()


def save_later(path, make):
    """Leave a file at `path` whose bytes `make()` returns, made only if the program looks at files again.

    For pictures: most programs end with saving one, and encoding it takes longer than some charts.
    """
    if not patched:
        patched.append(True)
        sys.addaudithook(lambda event, _: event in LOOKING and save_pending())
        os.stat, os.lstat, os.access = map(looking, (os.stat, os.lstat, os.access))    # unheard by the hook
    pending[os.path.abspath(os.fspath(path))] = make


def save_pending():
    """Write what is pending, now that it may be looked at."""
    waiting = list(pending.items())
    pending.clear()
    for path, make in waiting:
        content = make()
        try:
            with open(path, "wb") as file:
                file.write(content)
        except OSError:                          # the folder is full, which a picture need not suffer from
            files[path] = content


def encoded(image, format):
    """A picture as a file of this format, as far as Pillow writes it; as PNG inside svg, else as PNG."""
    buffer = io.BytesIO()
    known = {"jpg": "JPEG", "jpeg": "JPEG", "tif": "TIFF", "tiff": "TIFF", "webp": "WEBP", "gif": "GIF",
             "pdf": "PDF", "eps": "EPS", "ps": "EPS"}.get(format, "PNG")
    image = image.convert("RGB") if known in ("JPEG", "PDF", "EPS") else image
    image.save(buffer, known)
    if format == "svg":
        return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{image.width}" height="{image.height}">'
                f'<image width="{image.width}" height="{image.height}" href="data:image/png;base64,'
                f'{base64.b64encode(buffer.getvalue()).decode()}"/></svg>').encode()
    return buffer.getvalue()


def looking(function):
    def look(*args, **kwargs):
        save_pending()
        return function(*args, **kwargs)
    for known in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks, os.supports_effective_ids):
        if function in known:
            known.add(look)
    return functools.wraps(function)(look)


def patch_files():
    """Let a program write anywhere: where no folder can be written its file is kept in `files` and found by
    `open` alone."""
    real_open, real_remove, real_mkdir = builtins.open, os.remove, os.mkdir

    def open_file(file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, closefd=True,
                  opener=None):
        writes = isinstance(mode, str) and set(mode) & set("wax+")
        try:
            return real_open(file, mode, buffering, encoding, errors, newline, closefd, opener)
        except OSError as problem:
            if isinstance(file, int) or opener or problem.errno not in FORBIDDEN:
                raise
            path = os.path.abspath(os.fspath(file))
            if path not in files and (not writes or "r" in mode):
                raise
            problem = None
        if "x" in mode and path in files:
            raise FileExistsError(errno.EEXIST, "File exists", file)
        kept = files.get(path, b"")
        stream = MemoryFile(os.fspath(file), b"" if "w" in mode else kept) if writes else io.BytesIO(kept)
        if "a" in mode:
            stream.seek(0, 2)
        return stream if "b" in mode else io.TextIOWrapper(stream, encoding or "utf-8", errors, newline)

    def make_folder(path, *args, **kwargs):
        try:
            real_mkdir(path, *args, **kwargs)
        except OSError as problem:
            if problem.errno not in FORBIDDEN or os.path.exists(path):
                raise

    def remove(path, **kwargs):
        if files.pop(os.path.abspath(os.fspath(path)), None) is None:
            real_remove(path, **kwargs)

    builtins.open = io.open = open_file
    os.mkdir = make_folder
    os.remove = os.unlink = remove
