"""What a view leaves on a page without a kernel."""
import pytest

import rrvf_lab as rl


@pytest.mark.parametrize("name", ["inspect", "inspect_group", "inspect_run", "sit_as_judge", "live"])
def test_a_view_leaves_html_beside_itself_and_no_control(name):
    rollouts = rl.load_rollouts("data/rollouts/group")
    image = {"image": rollouts[0].target}
    made = {"inspect": lambda: rl.inspect(rollouts[0]), "inspect_group": lambda: rl.inspect_group(rollouts),
            "inspect_run": lambda: rl.inspect_run("data/rollouts/group"),
            "sit_as_judge": lambda: rl.sit_as_judge(rollouts), "live": lambda: rl.live(None, image)}[name]()
    stored = made._repr_mimebundle_()
    page = stored["text/html"]
    assert any("widget-view" in kind for kind in stored)
    assert ("<img" in page or "<td" in page) and "<button" not in page and "children=" not in page
