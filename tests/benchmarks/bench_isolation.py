"""Which attacks get through at each level of isolation? The programs of `tests/render/attacks.py`, seen
from outside.

    python tests/benchmarks/bench_isolation.py --count 20 --levels bwrap bare

`--count` attacks are spread over all of them; by default all are tried, at all levels.

Levels: "bwrap" (namespaces and filters), "plain" (filters without namespaces), "limits" (resource limits
only, what macOS gives), "bare" (a process like any other, as most projects run such programs). The three
weaker ones run inside a throw-away container without network, with a read-only disk, process ids of its own
and a bound on each process's memory, as there an attack does what it says. An attack counts as through if
it had the effect that the test looks for, ended the calling process, or was not stopped within a minute.

Left out: attacks on the kernel itself, and at "bare" the programs in TOO_MUCH: nothing there but the
container's bound would stop them from taking all memory or process ids of this machine, and that bound is
not part of the level. """

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "render"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from attacks import ATTACKS, ENDLESS, MEMORY, Scene

from rrvf_lab.render import Renderer, sandbox
from rrvf_lab.render.jail import cache_folder

ROOT = Path(__file__).resolve().parents[2]
LEVELS = ("bwrap", "plain", "limits", "bare")
TOO_MUCH = ("memory_bomb", "memfd_bomb", "thread_bomb")
BOUND = 6 * 2**30                                # bytes a process may take in the container
PATIENCE = 60  # seconds an attack may take; at the safe levels it is CPU-limited to 1


def inside(level, names):
    """Attack until one gets through; a JSON line before each and after each."""
    sandbox.MODES = (level,)
    with Renderer(workers=1, timeout=1.0, memory=MEMORY) as renderer, tempfile.TemporaryDirectory() as folder:
        safe = renderer.isolation.safe
        if level == "bwrap" and not safe:
            raise SystemExit(f"{level} is not safe here, so nothing is tried: {renderer.isolation}")
        scene = Scene(folder, renderer)
        try:
            for name in names:
                print(json.dumps({"start": name}), flush=True)
                effect = None
                try:
                    rendering = scene.attack(ATTACKS[name])
                    assert name not in ENDLESS or (rendering.error and rendering.cpu_seconds < 4), "it ran on"
                    scene.intact(rendering)
                except KeyboardInterrupt:
                    raise
                except BaseException as error:   # pytest's own outcomes are no Exceptions
                    effect = (str(error) or type(error).__name__).splitlines()[0][:60]
                print(json.dumps({"end": name, "effect": effect}), flush=True)
                if effect:
                    os._exit(0)                  # whatever it left is gone with the container
        finally:
            scene.close()


def container(cache):
    """The command before Python's own: everything may be read, nothing be changed or reached."""
    return [
        shutil.which("bwrap"),
        "--unshare-all",
        "--die-with-parent",
        "--new-session",
        "--cap-drop",
        "ALL",
        "--ro-bind",
        "/",
        "/",
        "--dev",
        "/dev",
        "--proc",
        "/proc",
        "--size",
        str(2**30),
        "--tmpfs",
        "/tmp",
        "--tmpfs",
        "/var/tmp",
        "--ro-bind",
        str(ROOT),
        str(ROOT),
        "--ro-bind",
        sys.prefix,
        sys.prefix,
        "--ro-bind",
        cache,
        "/tmp/fonts",
        "--setenv",
        "HOME",
        "/tmp/home",
        "--setenv",
        "XDG_CACHE_HOME",
        "/tmp/cache",
        "--chdir",
        str(ROOT),
    ]


def attack(level, names):
    """{name: effect or None}, in as many containers as it takes."""
    found, left, fruitless = {}, list(names), 0
    while left:
        command, bound = [sys.executable, __file__, "--inside", level, *left], None
        if level != "bwrap":
            command = container(cache_folder()) + command
            bound = partial(resource.setrlimit, resource.RLIMIT_AS, (BOUND, BOUND))
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=bound
        )
        running, begun = None, len(left)
        errors = []
        reader = threading.Thread(target=lambda to, pipe: to.append(pipe.read()[-500:]),
                                  args=(errors, process.stderr))
        reader.start()
        clock = threading.Timer(5 * PATIENCE, process.kill)              # for its start
        clock.start()
        for line in process.stdout:
            try:
                said = json.loads(line)
            except ValueError:
                continue
            clock.cancel()
            clock = threading.Timer(PATIENCE, process.kill)
            clock.start()
            running = said.get("start")
            if "end" in said and said["end"] == left[0]:
                found[left.pop(0)] = said["effect"]
        clock.cancel()
        process.wait()
        reader.join()
        if running:                              # it did not come back from this one
            found[left.pop(0)] = "it was not stopped, or ended the process that called it"
        fruitless = fruitless + 1 if len(left) == begun else 0
        if fruitless == 2:
            raise SystemExit(f"{level}: nothing starts: {errors}")
    return found


def main(count, levels):
    names = list(ATTACKS)[::max(1, len(ATTACKS) // count)][:count]
    if not shutil.which("bwrap"):
        raise SystemExit("the weaker levels are only tried in a container: sudo apt-get install bubblewrap")
    table = {}
    for level in levels:
        table[level] = attack(level, [name for name in names if level != "bare" or name not in TOO_MUCH])
        through = [name for name in names if table[level].get(name)]
        print(f"{level:7} {len(through):3} of {len(table[level])} got through", flush=True)
    print(
        f"\nas {'root' if os.geteuid() == 0 else 'an ordinary user'}; THROUGH: it had its effect, "
        "-: contained"
    )
    print(f"{'':26}" + "".join(f"{level:>8}" for level in levels) + "   the effect")
    for name in names:
        effects = [table[level].get(name, "not run") for level in levels]
        if any(effects):
            marks = "".join(f"{'-' if not e else e if e == 'not run' else 'THROUGH':>8}" for e in effects)
            print(f"{name:26}{marks}   {next((e for e in reversed(effects) if e and e != 'not run'), '')}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        if os.path.isdir("/tmp/fonts"):
            shutil.copytree("/tmp/fonts", cache_folder(), dirs_exist_ok=True)
        inside(sys.argv[2], sys.argv[3:])
    else:
        parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
        parser.add_argument("--count", type=int, default=len(ATTACKS))
        parser.add_argument("--levels", nargs="+", choices=LEVELS, default=LEVELS)
        options = parser.parse_args()
        main(options.count, options.levels)
