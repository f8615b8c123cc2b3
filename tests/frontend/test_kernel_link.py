"""What a widget knows of its kernel while that restarts, ends and comes back."""

import pytest
from services.typescript import in_typescript

# A kernel as JupyterLab shows it; each event is a status of the server's, or the session that signs a kernel's own message.
SEEN = """(async () => {
  const signal = () => {
    const all = [];
    return { connect: one => all.push(one), emit: (...args) => all.forEach(one => one(...args)) };
  };
  const kernel = { status: 'idle', connectionStatus: 'connected', isDisposed: false, disposed: signal(),
    statusChanged: signal(), iopubMessage: signal(), connectionStatusChanged: signal() };
  let close;
  const link = new m.KernelLink({ once: (_, listener) => { close = listener; } }, kernel);
  const seen = [];
  link.listen(() => seen.push(link.state), new AbortController().signal);
  for (const [what, value] of a) {
    if (what === 'status') { kernel.status = value; kernel.statusChanged.emit(); }
    else if (what === 'closed') { close(); }
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
