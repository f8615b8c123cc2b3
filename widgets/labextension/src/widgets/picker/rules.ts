import { control, segments, select, textInput, type Control } from './control';
import { h } from './dom';
import type { Connection, FormData, Tier } from './messages';

/** What people call them. */
export const RULES: Record<Exclude<keyof Ruled, 'tier'>, string> = {
  read_only: 'Read-only',
  environment: 'Environment',
  timeout_s: 'Statement timeout (seconds)',
  memory_limit_mb: 'Memory cap of its process (MB)',
  isolation: 'Isolation',
  log: 'Keep its runs in the query log'
};

export type Ruled = Pick<
  FormData,
  'read_only' | 'environment' | 'timeout_s' | 'memory_limit_mb' | 'isolation' | 'log' | 'tier'
>;

/** What holds for a connection whatever its driver: environment, read-only, limits, log, and where its secret is kept. */
export class Rules {
  /** The two that everybody should see. */
  readonly loud: HTMLElement;
  /** The others, for "More settings". */
  readonly quiet: HTMLElement[];
  private environment: string;
  private readOnly = h('input', { type: 'checkbox' });
  private log = h('input', { type: 'checkbox' });
  private timeout = textInput({ inputmode: 'numeric', placeholder: 'as set for all' });
  private memory = textInput({ inputmode: 'numeric', placeholder: 'as set for all' });
  private isolation: HTMLSelectElement;
  private tier: HTMLSelectElement;
  private controls: Record<string, Control>;

  constructor(
    known: Connection | null,
    tiers: Tier[],
    private onEnvironment: (environment: string | null) => void
  ) {
    this.environment = known?.environment ?? '';
    this.readOnly.checked = known?.read_only ?? false;
    this.log.checked = known?.log ?? true;
    this.timeout.value = known?.timeout_s ? String(known.timeout_s) : '';
    this.memory.value = known?.memory_limit_mb ? String(known.memory_limit_mb) : '';
    this.isolation = select(
      [
        { value: 'session', title: 'One session for the notebook' },
        { value: 'statement', title: 'A fresh process for each run' }
      ],
      known?.isolation ?? 'session'
    );
    this.tier = tierSelect(tiers, known?.credential_tier ?? null);
    this.controls = {
      read_only: control(
        {
          name: 'read_only',
          title: RULES.read_only,
          description: 'The server refuses every change.',
          span: 3
        },
        this.readOnly
      ),
      timeout_s: control({ name: 'timeout_s', title: RULES.timeout_s }, this.timeout),
      memory_limit_mb: control({ name: 'memory_limit_mb', title: RULES.memory_limit_mb }, this.memory),
      isolation: control({ name: 'isolation', title: RULES.isolation }, this.isolation),
      log: control({ name: 'log', title: RULES.log }, this.log)
    };
    this.loud = h('div', { class: 'tusk-pick-grid' }, this.environments(), this.controls['read_only']!.node);
    this.quiet = ['timeout_s', 'memory_limit_mb', 'isolation', 'log'].map(name => this.controls[name]!.node);
  }

  /** The choice of the credential tier, to stand below a secret. */
  tierControl(span: number): Control {
    return control(
      { name: 'tier', title: 'Keep it in', description: 'Never in the notebook.', span },
      this.tier
    );
  }

  /** A tier can be chosen for a secret that is given now; a stored one stays where it is. */
  allowTier(allowed: boolean): void {
    this.tier.disabled = !allowed;
  }

  value(): Ruled {
    return {
      read_only: this.readOnly.checked,
      environment: this.environment || null,
      timeout_s: numberOf(this.timeout),
      memory_limit_mb: numberOf(this.memory),
      isolation: this.isolation.value,
      log: this.log.checked,
      tier: this.tier.value || null
    };
  }

  /** Show these; the tier stays as it is. */
  show(ruled: Ruled): void {
    this.readOnly.checked = ruled.read_only;
    this.log.checked = ruled.log;
    this.timeout.value = ruled.timeout_s === null ? '' : String(ruled.timeout_s);
    this.memory.value = ruled.memory_limit_mb === null ? '' : String(ruled.memory_limit_mb);
    this.isolation.value = ruled.isolation;
    this.environment = ruled.environment ?? '';
    for (const one of this.loud.querySelectorAll<HTMLInputElement>('input[type=radio]')) {
      one.checked = one.value === this.environment;
    }
    this.onEnvironment(ruled.environment);
  }

  complain(problems: Record<string, string>): void {
    for (const [name, one] of Object.entries(this.controls)) {
      one.complain(problems[name] ?? null);
    }
  }

  /** Whether the numbers are numbers. */
  check(): boolean {
    const timeout = this.timeout.value.trim() === '' || Number(this.timeout.value) > 0;
    const memory = this.memory.value.trim() === '' || /^\s*[1-9]\d*\s*$/.test(this.memory.value);
    this.complain({
      ...(timeout ? {} : { timeout_s: 'Must be a number above zero.' }),
      ...(memory ? {} : { memory_limit_mb: 'Must be a whole number above zero.' })
    });
    return timeout && memory;
  }

  private environments(): HTMLElement {
    const choices = [
      { value: '', title: 'Not said' },
      { value: 'development', title: 'Development', class: 'tusk-segment-development' },
      { value: 'staging', title: 'Staging', class: 'tusk-segment-staging' },
      { value: 'production', title: 'Production', class: 'tusk-segment-production' }
    ];
    return segments({ name: 'environment', title: RULES.environment }, choices, this.environment, value => {
      this.environment = value;
      this.onEnvironment(value || null);
    });
  }
}

function tierSelect(tiers: Tier[], known: string | null): HTMLSelectElement {
  const first = tiers.find(tier => tier.usable);
  const stored = tiers.some(tier => tier.name === known && tier.usable) ? known! : '';
  return select(
    [
      { value: '', title: first ? `Automatic: ${first.name}` : 'Automatic' },
      ...tiers.map(tier => ({
        value: tier.name,
        title: tier.usable ? tier.name : `${tier.name}: ${tier.reason}`,
        disabled: !tier.usable
      }))
    ],
    stored
  );
}

function numberOf(input: HTMLInputElement): number | null {
  const text = input.value.trim();
  return text === '' ? null : Number(text);
}
