"""What a widget knows of its kernel while that restarts, ends and comes back."""

import pytest
from services.typescript import in_typescript

# A kernel as JupyterLab shows it; each event is a status of the server's, or the session that signs a kernel's own message.
SEEN = """(async () => {
  const signal = () => {
    const all = [];
    return { all, connect: (one, owner) => all.push([one, owner]),
      disconnect: (one, owner) => all.splice(all.findIndex(each => each[0] === one && each[1] === owner), 1),
      emit: (...args) => all.forEach(([one, owner]) => one.apply(owner, args)) };
  };
  const kernel = { status: 'idle', connectionStatus: 'connected', isDisposed: false, disposed: signal(),
    statusChanged: signal(), iopubMessage: signal(), connectionStatusChanged: signal() };
  let close;
  const link = new m.KernelLink({ once: (_, listener) => { close = listener; } }, kernel);
  const seen = [];
  const view = new AbortController();
  const slots = () => ['disposed', 'statusChanged', 'iopubMessage', 'connectionStatusChanged']
    .reduce((sum, name) => sum + kernel[name].all.length, 0);
  link.listen(() => seen.push(link.state), view.signal);
  for (const [what, value] of a) {
    if (what === 'status') { kernel.status = value; kernel.statusChanged.emit(); }
    else if (what === 'closed') { close(); }
    else if (what === 'left') { view.abort(); }
    else if (what === 'slots') { seen.push(slots()); }
    else {
      const content = { execution_state: value[1] };
      kernel.iopubMessage.emit(null, { header: { msg_type: 'status', session: value[0] }, content });
    }
  }
  return [...seen, link.state];
})()"""


@pytest.mark.parametrize(
    ("events", "states"),
    [
        ([("status", "restarting"), ("status", "idle")], ["restarting", "restarted", "restarted"]),
        ([("status", "autorestarting"), ("status", "starting")], ["restarting", "restarted", "restarted"]),
        ([("status", "restarting"), ("status", "dead")], ["restarting", "gone", "gone"]),
        ([("said", ("one", "busy")), ("said", ("one", "idle"))], ["live"]),
        ([("said", ("one", "idle")), ("said", ("server", "restarting"))], ["live"]),
        ([("said", ("one", "idle")), ("said", ("two", "busy")), ("said", ("two", "idle"))], ["restarted", "restarted"]),
        ([("closed", ""), ("status", "idle")], ["closed", "closed", "closed"]),
        ([("status", "restarting"), ("closed", ""), ("status", "idle")], ["restarting"] * 2 + ["restarted"] * 2),
    ],
)
def test_a_restart_is_known_by_the_servers_word_and_by_a_new_process(events, states):
    assert in_typescript("widgets/kernelLink", SEEN, events) == states


@pytest.mark.parametrize("order", [["closed", "left"], ["left", "closed"]])
def test_a_link_whose_model_is_closed_and_drawn_nowhere_hears_nothing_more(order):
    first, last = ([one, ""] for one in order)
    seen = in_typescript("widgets/kernelLink", SEEN, [first, ["slots", ""], last, ["slots", ""]])
    assert [one for one in seen if isinstance(one, int)] == [4, 0]


def test_a_kernel_that_ends_before_it_answers_for_completion_gives_no_answer():
    kernels = "[() => Promise.reject(new Error('Canceled future')), () => { throw new Error('Kernel is dead'); }]"
    asked = f"Promise.all({kernels}.map(requestComplete => m.answerTo({{ requestComplete }}, 'x', 1)))"
    assert in_typescript("cells/answer", asked) == [None, None]
