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
  const tusk = { connections: { changed }, api: { current: () => answer } };
  const current = new m.NotebookConnection({ disposed: signal(), sessionContext: context }, tusk);
  const settled = () => new Promise(resolve => setTimeout(resolve));
  current.need();
  await settled();
  const seen = [current.value.name ?? null];
  answer = new Promise(() => {}); // a core that is frozen
  if (a === 'connections') { changed.emit(); }
  else if (a === 'kernel') { context.kernelChanged.emit(); }
  else { context.statusChanged.emit(a); }
  await settled();
  return [...seen, current.value.name ?? null];
})()"""


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
