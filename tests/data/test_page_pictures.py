"""The stored pages and drawings: pictures alone, made again alike, from code that asks for nothing."""
import numpy as np
import pytest
from makers import DATA, maker
from PIL import Image

import rrvf_lab as rl

pages = maker("pages")


@pytest.fixture(scope="module")
def stored():
    """The decoded pictures by kind, split and file name."""
    files = [file for kind in ("pages", "drawings") for split in ("train", "test")
             for file in (DATA / kind / split).iterdir()]
    return {(file.parts[-3], file.parts[-2], file.name): Image.open(file) for file in files}


@pytest.mark.parametrize("kind", ["pages", "drawings"])
@pytest.mark.parametrize("split, number", [("train", 64), ("test", 44)])
def test_the_stored_images_are_there_alone_and_without_a_word(stored, kind, split, number):
    names = sorted(name for of, part, name in stored if (of, part) == (kind, split))
    assert names == [f"{split}-{i:04d}.png" for i in range(number)]
    assert not any(stored[kind, split, name].text for name in names)


def test_no_stored_image_comes_twice_and_all_are_small(stored):
    assert len({(image.size, image.convert("RGB").tobytes()) for image in stored.values()}) == len(stored)
    sizes = [(DATA / kind / split / name).stat().st_size for kind, split, name in stored]
    assert sum(sizes) < 12e6


@pytest.fixture(scope="module")
def renderer():
    with rl.Renderer(workers=1) as renderer:
        yield renderer


def _drawn_again(renderer, kind, language, split, i):
    """(the picture drawn again, the stored one), as arrays of numbers."""
    rendering = renderer.render(pages.code(kind, split, i), language)
    assert rendering.image is not None, rendering.error
    stored = Image.open(DATA / kind / split / f"{split}-{i:04d}.png").convert("RGB")
    return np.asarray(rendering.image, int), np.asarray(stored, int)


@pytest.mark.parametrize("split, i", [("train", 0), ("test", 7)])
def test_the_command_draws_the_stored_drawings_again(renderer, split, i):
    again, stored = _drawn_again(renderer, "drawings", "svg", split, i)
    assert again.shape == stored.shape and np.abs(again - stored).mean() < 1  # fonts may differ a little


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("split, i", [("train", 0), ("test", 7)])
def test_the_command_draws_the_stored_pages_again(renderer, split, i):
    again, stored = _drawn_again(renderer, "pages", "html", split, i)
    assert again.shape == stored.shape and np.abs(again - stored).mean() < 4  # a line may break elsewhere


def test_the_seed_decides_and_the_splits_differ():
    def codes():
        return [pages.code(kind, split, i) for kind in ("pages", "drawings") for split in ("train", "test")
                for i in range(8)]

    assert codes() == codes() and len(set(codes())) == 32
    assert pages.code("pages", "test", 0) != pages.code("pages", "test", 0, seed=12)


def test_the_generated_code_asks_for_nothing_outside():
    for i in range(40):
        for kind in ("pages", "drawings"):
            code = pages.code(kind, "train", i).replace("http://www.w3.org/2000/svg", "")
            assert "http" not in code and "<script" not in code and "src=" not in code


class Blank:
    """A renderer whose pictures are the code's length in gray; an empty program fails."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def map(self, codes, language):
        for code in codes:
            picture = Image.new("L", (len(code), 9)).convert("RGB") if code else None
            yield rl.Rendering(picture, None if code else "empty", language=language)


def test_a_page_that_cannot_be_drawn_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(pages, "Renderer", Blank)
    monkeypatch.setattr(pages, "code", lambda kind, split, i, seed: "x" * (3 - i))
    with pytest.raises(RuntimeError, match="pages/train 3 could not be drawn: empty"):
        pages.write(tmp_path, {"train": 4})


def test_a_page_and_a_drawing_that_look_alike_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(pages, "Renderer", Blank)
    monkeypatch.setattr(pages, "code", lambda kind, split, i, seed: "same")
    with pytest.raises(RuntimeError, match="drawings/train-0000 has the pixels of pages/train-0000"):
        pages.write(tmp_path, {"train": 1})
