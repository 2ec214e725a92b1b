"""A JupyterLab and a Chromium of the tests' own, and a notebook opened and run there; the fixtures reach all
tests through conftest.py. One server serves a whole session."""
import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest

from rrvf_lab.render.chromium import find_chromium

SETTINGS = {  # no news, nothing restored, and every cell in the page
    "apputils-extension/notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
    "notebook-extension/tracker": {"windowingMode": "none"},
}
UNNAMED = """() => ['button', 'input', 'select', 'textarea', 'summary']
    .flatMap(name => [...document.querySelectorAll('.jp-OutputArea ' + name)])
    .filter(e => e.offsetParent !== null
                 && !(e.textContent.trim() && ['BUTTON', 'SUMMARY'].includes(e.tagName))
                 && !e.getAttribute('aria-label') && ![...(e.labels || [])].some(l => l.textContent.trim()))
    .map(e => e.outerHTML.slice(0, 200))"""
ALTLESS = """() => [...document.querySelectorAll('.jp-OutputArea img')]
    .filter(e => !e.alt).map(e => e.outerHTML.slice(0, 90))"""
# said on a busy machine after two seconds; what it was said of is drawn all the same
LATE = "[anywidget] Failed to initialize model."
ERRORS = ".jp-RenderedText[data-mime-type='application/vnd.jupyter.error']"


def _ask(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.read()


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """A JupyterLab of its own with a token, on a free port, with settings, kernels and files in a temporary
    folder."""
    home = tmp_path_factory.mktemp("lab")
    (home / "work").mkdir()
    for name, values in SETTINGS.items():
        path = home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    folders = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "IPYTHONDIR": "ipython",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    }
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--ip=127.0.0.1",
        f"--port={port}",
        "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={token}",
        f"--ServerApp.root_dir={home / 'work'}",
    ]
    command += ["--allow-root"] if os.name == "posix" and os.geteuid() == 0 else []
    with open(home / "log", "w") as log:
        server = subprocess.Popen(command, env=os.environ | {k: str(home / v) for k, v in folders.items()},
                                  stdout=log, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            try:
                _ask(f"{url}/api?token={token}")
                break
            except OSError:
                assert server.poll() is None, (home / "log").read_text()[-3000:]
                time.sleep(0.5)
        yield home / "work", lambda name: f"{url}/lab/tree/{name}?reset&token={token}"
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture(scope="module")
def chromium():
    """A Chromium; its event loop would be in the way of other tests' own, so it ends with the module."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        yield browser
        browser.close()


def notebook(*cells):
    """A notebook of code cells, with the kernel named: else Lab asks for one."""
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}}
    return nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, cells)), metadata=kernel)


def idle(lab, chromium, name, notebook):
    """The page of a notebook that nothing was run of; `page.errors` gathers what the console complains about.
    """
    folder, url = lab
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    nbformat.write(notebook, folder / name)
    page = chromium.new_page(viewport={"width": 1400, "height": 1000})
    page.errors = []
    def complain(text):
        if LATE not in text:
            page.errors.append(text)

    page.on("pageerror", lambda error: complain(str(error)))
    page.on("console", lambda message: complain(message.text) if message.type == "error" else None)
    page.set_default_timeout(120_000)
    page.goto(url(name))
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    page.get_by_text("| Idle").wait_for()
    return page


def run(page, which):
    """Choose an entry of the menu Run."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text(which, exact=True).click()


def opened(lab, chromium, name, notebook):
    """The page of a notebook that was run from top to bottom."""
    page = idle(lab, chromium, name, notebook)
    run(page, "Run All Cells")
    failed = page.locator(ERRORS)  # which stops the cells after it
    page.locator(".jp-CodeCell").last.locator(".jp-OutputArea-output").or_(failed).first.wait_for(timeout=600_000)
    assert failed.count() == 0, failed.first.inner_text()
    return page


def output(page, code):
    """What the first cell that holds `code` put out."""
    return page.locator(".jp-CodeCell", has_text=code).locator(".jp-OutputArea").first
