"""What cells are told of their kernel's connection while nobody answers."""

import pytest
from services.typescript import in_typescript

SEEN = """(async () => {
  const signal = () => {
    const all = [];
    return { connect: (one, owner) => all.push([one, owner]), emit: value => all.forEach(([one]) => one(null, value)) };
  };
  const signals = { kernelChanged: signal(), statusChanged: signal(), propertyChanged: signal() };
  const context = { ...signals, session: { kernel: { id: 'k' } } };
  const changed = signal();
  let answer = Promise.resolve({ connection: { name: 'dev' }, known: true, chosen: true });
  const tusk = { connections: { changed, refresh: () => changed.emit() }, api: { current: () => answer } };
  globalThis.document = new EventTarget();
  const pick = { kernel: a.endsWith('another') ? 'other' : 'k' };
  const tell = isOver => document.dispatchEvent(new CustomEvent('tusk-pick', { detail: { pick, isOver } }));
  const current = new m.NotebookConnection({ disposed: signal(), sessionContext: context }, tusk);
  const settled = () => new Promise(resolve => setTimeout(resolve));
  current.need();
  await settled();
  const seen = [current.value.name ?? null];
  if (a.startsWith('a pick')) {
    tell(false);
    changed.emit(); // the core answers before the kernel has asked it to choose
    await settled();
    seen.push(current.value.name ?? null);
  }
  answer = new Promise(() => {}); // a core that is frozen
  if (a === 'connections') { changed.emit(); }
  else if (a.startsWith('a pick')) { tell(true); }
  else if (a === 'kernel') { context.kernelChanged.emit(); }
  else { context.statusChanged.emit(a); }
  await settled();
  return [...seen, current.value.name ?? null];
})()"""


KNOWN = """(async () => {
  const signal = () => {
    const all = [];
    return { connect: one => all.push(one), emit: value => all.forEach(one => one(null, value)) };
  };
  const signals = { kernelChanged: signal(), statusChanged: signal(), propertyChanged: signal() };
  const changed = signal();
  let answer = async () => ({ connection: { name: 'dev' }, known: false });
  const tusk = { connections: { changed }, api: { current: () => answer() } };
  globalThis.document = new EventTarget();
  const context = { ...signals, session: { kernel: { id: 'k' } } };
  const current = new m.NotebookConnection({ disposed: signal(), sessionContext: context }, tusk);
  const settled = () => new Promise(resolve => setTimeout(resolve));
  const seen = [current.isKernelKnown];
  const note = async () => { await settled(); seen.push(current.isKernelKnown); };
  current.need();
  await note();
  answer = async () => ({ connection: { name: 'dev' }, known: true });
  changed.emit();
  await note();
  answer = () => new Promise(() => {});
  signals.statusChanged.emit('restarting');
  await note();
  return seen;
})()"""


def test_a_kernel_is_known_once_it_has_spoken_with_this_core_and_a_restarted_one_anew():
    assert in_typescript("cells/current", KNOWN) == [False, False, True, False]


def test_while_something_is_chosen_in_a_picker_and_until_the_core_has_told_what_nothing_is_known():
    assert in_typescript("cells/current", SEEN, "a pick") == ["dev", None, None]
    assert in_typescript("cells/current", SEEN, "a pick in another") == ["dev", "dev", "dev"]


POLLED = """(async () => {
  globalThis.document = new EventTarget();
  let polls = 0;
  const told = [];
  const answers = [
    async () => ({ core: 'c', counts: { connections: 1 } }),
    async () => { throw new Error('503'); },
    async () => ({ core: 'c', counts: { connections: 1 } }),
    () => new Promise(() => {})
  ];
  const changes = new m.Changes({ changes: () => answers[polls++]() });
  const tell = what => told.push([what, changes.isHeard]);
  changes.lost.connect(() => tell('lost'));
  changes.changed.connect((_, topics) => tell([...topics].join()));
  changes.hold();
  while (polls < 4) { await new Promise(resolve => setTimeout(resolve, 20)); }
  return told;
})()"""


def test_a_poll_that_fails_is_told_and_the_next_one_has_the_connections_asked_for_anew():
    assert in_typescript("changes", POLLED) == [["connections", True], ["lost", False], ["connections", True]]


HIDDEN = """(async () => {
  const page = globalThis.document = new EventTarget();
  const show = isShown => { page.hidden = !isShown; page.dispatchEvent(new Event('visibilitychange')); };
  const settled = () => new Promise(resolve => setTimeout(resolve));
  let answer;
  const changes = new m.Changes({ changes: () => new Promise(resolve => { answer = resolve; }) });
  const told = [];
  changes.lost.connect(() => told.push(['lost', changes.isHeard]));
  changes.changed.connect((_, topics) => told.push([[...topics].join(), changes.isHeard]));
  changes.doubtChanged.connect(() => told.push('doubt'));
  changes.hold();
  answer({ core: 'c', counts: {} });
  await settled();
  show(false);
  show(true);
  answer({ core: 'c', counts: {} }); // perhaps what the server had before
  await settled();
  changes.catchUp();
  return [...told, changes.isHeard];
})()"""


def test_what_was_known_before_the_window_was_hidden_is_not_confirmed_until_it_is_asked_anew():
    assert in_typescript("changes", HIDDEN) == [["lost", False], ["connections", False], True]


CONFIRMED = """(async () => {
  const signal = () => ({ connect(one) { this.emit = one; } });
  const changes = { changed: signal(), lost: signal(), isHeard: true, catchUp() {} };
  const connections = new m.Connections({ connections: async () => [] }, changes);
  const seen = [];
  connections.changed.connect(() => seen.push(connections.isConfirmed));
  await connections.refresh();
  changes.isHeard = false;
  changes.lost.emit();
  return seen;
})()"""


def test_what_was_read_before_a_poll_failed_is_not_confirmed():
    assert in_typescript("connections", CONFIRMED) == [True, False]


@pytest.mark.parametrize(
    ("event", "known"),
    [
        ("busy", "dev"),
        ("connections", "dev"),
        ("restarting", None),
        ("autorestarting", None),
        ("dead", None),
        ("kernel", None),
    ],
)
def test_what_the_process_before_had_chosen_is_forgotten_at_once(event, known):
    assert in_typescript("cells/current", SEEN, event) == ["dev", known]
