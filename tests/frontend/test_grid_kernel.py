"""What becomes of a grid's questions when the connection to the kernel is cut."""

import pytest
from services.typescript import in_typescript

SCENE = """
(async () => {
  globalThis.window = globalThis;
  let hear, follow;
  const sent = [], link = { state: 'live', isBusy: false, listen: listener => (follow = listener) };
  const model = { on: (_, listener) => (hear = listener), off: () => {}, send: one => sent.push(one) };
  const end = new AbortController();
  const kernel = new m.Kernel(model, end.signal, link, () => {}, () => {});
  const become = state => { link.state = state; follow(); };
  const asked = kernel.ask({ ask: a.ask }).then(done => done.content.path, error => error.message);
  become('connecting');
  become('live');
  for (const number of a.answered) {
    hear({ id: sent[number].id, path: 'frogs.csv' }, []);
  }
  const outcome = await Promise.race([asked, new Promise(resolve => setTimeout(resolve, 0, 'waits'))]);
  end.abort();
  return [sent.map(one => one.ask), outcome];
})()
"""


@pytest.mark.parametrize(
    ("ask", "answered", "sent", "outcome"),
    [
        pytest.param("copy", [1], ["copy", "copy"], "frogs.csv", id="a question is asked again"),
        pytest.param("export", [0, 1], ["export", "window"], "frogs.csv", id="an export whose answer comes is done"),
        pytest.param("export", [1], ["export", "window"], "is not known", id="one without an answer is given up"),
        pytest.param("export", [], ["export", "window"], "waits", id="but not before a later question is answered"),
    ],
)
def test_what_was_asked_before_a_cut_has_an_end_and_no_export_is_repeated(ask, answered, sent, outcome):
    asked, told = in_typescript("widgets/grid/kernel", SCENE, {"ask": ask, "answered": answered})
    assert asked == sent
    assert outcome in told
