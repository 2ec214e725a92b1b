"""What isolates programs and Chromium here is found out, told with a fix, and asked for before training."""
import sys
from types import SimpleNamespace

import pytest
from attacks import HONEST

from rrvf_lab.render import Isolation, Renderer, doctor, engine, isolation, require_isolation, sandbox


def test_isolation_is_told_in_words_with_a_fix_for_what_is_missing():
    found = isolation.describe()
    assert found.level in ("namespaces", "filters", "limits") and found.safe == (found.level != "limits")
    for layer in found.rows:
        assert layer.active or (layer.missing in str(found) and layer.fix in str(found))
    assert all(word in str(found) for word in found.always)


def test_an_unsafe_machine_refuses_to_train_unless_told(monkeypatch):
    nothing = {key: False for _, keys, _, _ in isolation._LAYERS for key in keys}
    jail = SimpleNamespace(prevented=nothing, safe=False, mode="plain", reasons=["bwrap: <none>"])
    unsafe = isolation.isolation_of(jail)
    monkeypatch.setattr(isolation, "describe", lambda: unsafe)
    with pytest.raises(RuntimeError, match="target images"):
        require_isolation()
    require_isolation(unsafe_ok=True)
    assert "apt-get install bubblewrap" in str(unsafe) and "tried in vain: bwrap: <none>" in str(unsafe)


def test_a_renderer_tells_the_isolation_of_the_jail_it_runs_in():
    with Renderer(workers=0) as renderer:
        told, jail = renderer.isolation, renderer._lanes.jail
        assert renderer.render(HONEST).error is None and renderer._lanes.jail is jail
        assert told.safe == jail.safe and renderer.isolation == told
    with pytest.raises(RuntimeError, match="closed"):
        _ = renderer.isolation


def test_the_isolation_given_decides_and_no_other_jail_is_started(monkeypatch):
    monkeypatch.setattr(isolation, "Jail", None)
    require_isolation(isolation=Isolation("filters", True, ()))
    with pytest.raises(RuntimeError, match="unsafe_ok"):
        require_isolation(isolation=Isolation("limits", False, ()))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
def test_a_jail_that_died_is_never_replaced_by_a_weaker_one(monkeypatch):
    with Renderer(workers=0) as renderer:
        if not renderer.isolation.safe:
            pytest.skip("no safe isolation here")
        monkeypatch.setattr(sandbox, "MODES", ("limits",))
        renderer._lanes._end_jail()
        assert "less isolated" in renderer.render("open('/etc/passwd')").error
        monkeypatch.undo()
        assert renderer.render(HONEST).error is None


@pytest.mark.browser
@pytest.mark.slow
def test_what_protects_from_chromium_is_a_row_of_the_doctors_table(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "ipykernel", None)  # loaded by whatever, this is no notebook
    name, active, missing, fix = doctor().rows[-1]
    assert "Chromium" in name and name in capsys.readouterr().out
    assert active == (not missing) == (not fix)


def test_the_doctor_names_the_one_command_when_there_is_no_chromium(monkeypatch):
    monkeypatch.setattr(engine.shutil, "which", lambda name: None)
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", "/nowhere")
    layer = isolation.chromium_layer()
    assert not layer.active and layer.missing and layer.fix == "python -m playwright install chromium"


@pytest.mark.browser
@pytest.mark.slow
def test_a_chromium_without_bubblewrap_is_called_weaker_with_what_to_do(monkeypatch):
    which = engine.shutil.which
    monkeypatch.setattr(engine.shutil, "which", lambda name: which(name) if name != "bwrap" else None)
    layer = isolation.chromium_layer()
    assert "no namespace round it" in layer.name and not layer.active and "fault in Chromium" in layer.missing
    assert "apt-get install bubblewrap" in layer.fix
