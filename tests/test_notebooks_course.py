"""The course: what notebooks/README.md says is there, exercises are left to do, and their solutions hold."""
import re
from pathlib import Path

import ipywidgets
import nbformat
import pytest
from nbclient import NotebookClient

import rrvf_lab as rl

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
TEXT = (NOTEBOOKS / "README.md").read_text()
SOURCES = "\n".join(path.read_text().lower() for path in NOTEBOOKS.parent.glob("rrvf_lab/**/*.py"))
TAUGHT = sorted(path.stem for path in NOTEBOOKS.glob("[0-9AB]*_*.ipynb"))


def section(title):
    return TEXT.partition(f"## {title}")[2].partition("\n## ")[0]


def first_cells(text):
    """The first cell of each line of a Markdown table, without its head."""
    return [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ")][1:]


def read(name):
    return nbformat.read(NOTEBOOKS / f"{name}.ipynb", 4)


def test_the_map_names_every_notebook_and_every_link_has_its_target():
    named = set(re.findall(r"\((\w+\.ipynb)\)", TEXT))
    assert {path.name for path in NOTEBOOKS.glob("*.ipynb")} == named
    assert [link for link in re.findall(r"\]\(([\w/.]+)\)", TEXT) if not (NOTEBOOKS / link).exists()] == []


def test_the_glossary_has_25_entries_whose_words_the_code_uses():
    words = first_cells(section("Glossary"))
    assert len(words) == 25
    assert [word for entry in words for word in entry.lower().split(", ")
            if word.removeprefix("raw ").replace("paired ", "") not in SOURCES] == []


@pytest.mark.parametrize("name", TAUGHT)
def test_a_notebook_opens_with_its_goals_its_minutes_and_a_prediction(name):
    opening = read(name).cells[0].source
    minutes = re.search(rf"\({name}\.ipynb\) \| (\d+) \|", TEXT)[1]
    wanted = "**You will**", "**Predict first.**", f"About {minutes} minutes"
    assert [words for words in wanted if words not in opening] == []


@pytest.mark.parametrize("name", TAUGHT)
def test_exercises_are_left_to_do_and_say_so_without_an_error(name):
    checks = [cell for cell in read(name).cells if cell.cell_type == "code"][-1]
    said = "".join(output.get("text", "") for output in checks.outputs)
    assert said.count("not yet") >= 2 and "yes" not in said and "assert" not in checks.source


def test_solutions_are_folded_stored_and_small():
    code = [cell for cell in read("solutions").cells if cell.cell_type == "code"]
    hidden = [cell for cell in code if cell.metadata.get("jupyter", {}).get("source_hidden")]
    assert len(hidden) == len(code) - 1 >= 15 and all(cell.execution_count is None for cell in code)
    assert sum(bool(cell.outputs) for cell in hidden) >= 12
    assert (NOTEBOOKS / "solutions.ipynb").stat().st_size <= 300_000


@pytest.mark.slow
def test_solutions_hold():
    NotebookClient(read("solutions"), timeout=300, kernel_name="python3", store_widget_state=False,
                   resources={"metadata": {"path": str(NOTEBOOKS)}}).execute()


def descriptions(widget):
    """What the controls of a widget are called, its children's too."""
    own = {widget.description} if getattr(widget, "description", "") else set()
    children = widget.children if isinstance(widget, ipywidgets.Box) else ()
    return own.union(*map(descriptions, children))


def test_the_demonstration_names_controls_that_are_there():
    rollout, group = rl.load_rollouts("data/rollouts")[0], rl.load_rollouts("data/rollouts/group")
    views = rl.inspect(rollout, rl.Recording([])), rl.inspect_group(group), rl.sit_as_judge(rollout)
    there = set().union(*map(descriptions, views))
    steps = re.sub(r"^\d\. \*\*[^*]*\*\*", "", section("Five minutes"), flags=re.M)
    named = set(re.findall(r"\*\*(.*?)\*\*", steps + section("Ninety minutes")))
    assert len(named) >= 7 and named <= there


def test_the_demonstration_shows_the_scores_that_it_announces():
    stored = (NOTEBOOKS / "00_quickstart.ipynb").read_text()
    assert "0.338 -> 0.629" in stored and "0.338" in section("Five minutes")


def test_a_heavy_format_weight_moves_the_best_picture_from_place_1_to_6():
    view = rl.inspect_group(rl.load_rollouts("data/rollouts/group"))
    best = view.sheet.order(0)[0]
    view.format.value = 1.0
    assert view.sheet.order(0).index(best) == 5
    view.group.value, view.vision.value, view.format.value = 1, 0.0, 0.0
    assert "zero spread" in view.note.value


@pytest.mark.slow
def test_told_of_a_grid_it_draws_one_and_praised_it_answers():
    view = rl.inspect(rl.load_rollouts("data/rollouts")[0], rl.load_policy("nano"))
    for sentence, drafts in (("Grid on.", 2), ("No difference seen.", 1)):
        view.which.value, view.at_turn.value = 0, 1
        view.editor.feedback.value = sentence
        view.resume()
        view.wait(120)
        made = view.rollouts[-1]
        assert len(made.drafts) == drafts
        if drafts == 2:
            assert "grid" in made.drafts[1].code and "grid" not in made.drafts[0].code
