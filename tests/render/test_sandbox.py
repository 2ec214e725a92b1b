"""Programs that attack: each must leave no trace outside, and the next honest program must render as before.

Every effect is looked for from outside: files, sockets, processes, and what the program could tell of
secrets. Run at each isolation level of this machine that claims to be safe. What no sandbox stops, forged
pixels, is only flagged.
"""
import sys
import tempfile

import pytest
from attacks import ATTACKS, ENDLESS, FAMILIES, HONEST, MEMORY, Scene
from families import members

from rrvf_lab.render import Renderer, job, sandbox


@pytest.fixture(scope="module", params=sandbox.MODES)
def scene(request):
    if sys.platform != "linux":
        pytest.skip("needs Linux")
    before, sandbox.MODES = sandbox.MODES, (request.param,)
    renderer = Renderer(workers=1, timeout=1.0, memory=MEMORY)
    try:
        renderer.render("pass")
        if not renderer.isolation.safe:
            pytest.skip(f"{request.param} isolation cannot be had here: {renderer._lanes.jail.prevented}")
        with tempfile.TemporaryDirectory() as folder:
            scene = Scene(folder, renderer)
            yield scene
            scene.close()
    except RuntimeError as error:
        pytest.skip(f"{request.param}: {error}")
    finally:
        renderer.close()
        sandbox.MODES = before


@pytest.mark.slow
@pytest.mark.parametrize("name", members(ATTACKS, {next(iter(family)) for family in FAMILIES.values()}))
def test_an_attack_leaves_no_trace_and_the_next_program_renders(scene, name):
    rendering = scene.attack(ATTACKS[name])
    if name in ENDLESS:
        assert rendering.error
        assert rendering.cpu_seconds < 4
    scene.intact(rendering)


@pytest.mark.slow
def test_a_program_that_sleeps_below_python_meets_the_wall_limit(scene):
    with scene.renderer._lanes.jail.lane() as lane:
        outcome = job.run(lane, "import select; select.select([], [], [], 999)", "matplotlib", cpu=5, wall=1)
    assert "stopped after 1 s" in outcome.status and not outcome.lost


@pytest.mark.slow
def test_forging_is_flagged_and_honest_programs_are_not(scene):
    patched = ("from matplotlib.backends.backend_agg import RendererAgg\nimport numpy as np\nimport "
               "matplotlib.pyplot as plt\n"
               "RendererAgg.buffer_rgba = lambda self: np.zeros((9, 9, 4), 'u1')\nplt.plot([1])")
    hidden = patched.replace("RendererAgg.buffer_rgba =", "globals()['RendererAgg'].__dict__; f =") + \
        "\nfor k in ['buffer' + '_rgba']: type.__setattr__(RendererAgg, k, f)"
    wrote = "import os\nos.pwrite(3, b'RRVF', 0)\nimport matplotlib.pyplot as plt\nplt.plot([1])"
    rows = [[i % 7 for i in range(80)] for _ in range(50)]
    picture = f"import matplotlib.pyplot as plt\nplt.imshow({rows})"
    assert "patches the renderer" in scene.renderer.render(patched).flags
    assert "patches the renderer" in scene.renderer.render(hidden).flags
    assert "reaches below Python" in scene.renderer.render(wrote).flags
    assert "holds an embedded picture" in scene.renderer.render(picture).flags
    assert scene.renderer.render(HONEST).flags == ()


def test_the_call_filter_is_built_for_both_processors(monkeypatch):
    programs = {}
    for machine in ("x86_64", "aarch64"):
        monkeypatch.setattr(sandbox.platform, "machine", lambda machine=machine: machine)
        monkeypatch.setattr(sandbox.sys, "platform", "linux")
        programs[machine] = sandbox.seccomp_program(1)
        assert len(programs[machine]) % 8 == 0 and len(programs[machine]) // 8 < 4096
    monkeypatch.setattr(sandbox.platform, "machine", lambda: "riscv64")
    assert sandbox.seccomp_program(1) is None
    assert programs["x86_64"] != programs["aarch64"]
