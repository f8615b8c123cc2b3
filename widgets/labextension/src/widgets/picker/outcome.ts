import { h } from './dom';
import { sign } from './glyphs';
import type { Step, Tested, WireError } from './messages';

const WORDS = { done: 'done', failed: 'failed', open: 'not reached' };

/** A test as a row of steps, and below it what answered or what went wrong, with its hint. */
export function outcome(tested: Tested, extra: (Node | null)[] = []): HTMLElement {
  const words = tested.ok
    ? h(
        'p',
        { class: 'tusk-answer' },
        `${tested.server ?? 'The database'} answered in ${seconds(tested.elapsed_s ?? 0)}${tested.link ? ` (${tested.link})` : ''}.`
      )
    : troubleOf(tested.error ?? { message: 'The test failed.' });
  return h(
    'div',
    { class: 'tusk-outcome', 'data-tusk': 'outcome', 'data-ok': tested.ok ? 'true' : 'false' },
    h('ol', { class: 'tusk-steps', 'aria-label': 'Steps of the test' }, ...(tested.steps ?? []).map(stepOf)),
    words,
    ...extra
  );
}

/** An error in words. */
export function troubleOf(error: WireError): HTMLElement {
  return h(
    'div',
    { class: 'tusk-trouble', 'data-tusk': 'trouble' },
    h('p', { class: 'tusk-trouble-message' }, error.message),
    error.hint ? h('p', { class: 'tusk-trouble-hint' }, h('strong', {}, 'Hint: '), error.hint) : null
  );
}

/** Something is under way. */
export function waitingFor(what: string): HTMLElement {
  return h(
    'p',
    { class: 'tusk-waiting', 'data-tusk': 'waiting' },
    h('span', { class: 'tusk-spinner' }),
    what
  );
}

function stepOf(step: Step): HTMLElement {
  const icon = { done: 'tick', failed: 'cross', open: 'ring' } as const;
  return h(
    'li',
    {
      class: `tusk-step tusk-step-${step.mark}`,
      'data-stage': step.stage,
      'data-mark': step.mark,
      title: step.what
    },
    sign(icon[step.mark], 14),
    step.title,
    h('span', { class: 'tusk-hidden' }, `: ${WORDS[step.mark]}`)
  );
}

function seconds(elapsed: number): string {
  return elapsed < 1 ? `${Math.max(1, Math.round(elapsed * 1000))} ms` : `${elapsed.toFixed(1)} s`;
}
