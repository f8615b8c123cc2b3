import { folded } from '../../names';
import type { Driver, FieldSpec, Value, Way } from './messages';

/** A driver's fields as one way to sign in shows them. The kernel judges again: `tusk_widgets/picker_form.py`. */

export const URL_WAY = 'url';
const NAME = /^[\p{L}_][\p{L}\p{N}_.-]{0,63}$/u;

export interface Field {
  name: string;
  spec: FieldSpec;
  required: boolean;
  /** Whether it belongs to the way, or to "More settings". */
  main: boolean;
}

/** The ways that a form offers: the driver's own, and a URL where it reads one. */
export function waysOf(driver: Driver): { name: string; title: string }[] {
  const own = driver.sign_in.length ? driver.sign_in : [{ name: '', title: 'Fields' }];
  return driver.schemes.length ? [...own, { name: URL_WAY, title: 'Connection URL' }] : own;
}

export function wayNamed(driver: Driver, name: string): Way | undefined {
  return driver.sign_in.find(way => way.name === name);
}

/** The fields of a way, in the order of the form; a field with a `const` is not asked for. */
export function fieldsOf(driver: Driver, wayName: string): Field[] {
  const found = driver.fields.properties ?? {};
  const way = wayNamed(driver, wayName);
  const required = new Set([...(driver.fields.required ?? []), ...(way?.required ?? [])]);
  const elsewhere = new Set(driver.sign_in.flatMap(one => one.fields));
  const own = way ? way.fields.filter(name => name in found) : Object.keys(found);
  const common = way ? Object.keys(found).filter(name => !elsewhere.has(name)) : [];
  return [...own, ...common]
    .map(name => ({
      name,
      spec: { ...found[name], ...way?.properties[name] },
      required: required.has(name),
      main: own.includes(name)
    }))
    .filter(field => field.spec.const === undefined);
}

/** The way that fits a stored connection most closely. */
export function wayOf(driver: Driver, config: Record<string, Value>): string {
  const fitting = driver.sign_in
    .filter(way => fits(driver, way, config))
    .map(way => ({ name: way.name, closeness: way.required.length + Object.keys(way.properties).length }));
  fitting.sort((one, other) => other.closeness - one.closeness);
  return fitting[0]?.name ?? driver.sign_in[0]?.name ?? '';
}

function fits(driver: Driver, way: Way, config: Record<string, Value>): boolean {
  const elsewhere = new Set(
    driver.sign_in.flatMap(one => one.fields).filter(name => !way.fields.includes(name))
  );
  if (Object.keys(config).some(name => elsewhere.has(name)) || way.required.some(name => !(name in config))) {
    return false;
  }
  return Object.entries(way.properties).every(([name, spec]) => {
    const value = config[name] ?? driver.fields.properties?.[name]?.default ?? undefined;
    if (spec.const !== undefined) {
      return value === spec.const;
    }
    return spec.pattern === undefined || value === undefined || new RegExp(spec.pattern).test(String(value));
  });
}

/** What stands in a field of a new connection: only what the way itself proposes; the driver's defaults need no words. */
export function proposal(driver: Driver, field: Field): Value | undefined {
  const own = field.spec.default;
  return own !== null && own !== driver.fields.properties?.[field.name]?.default ? own : undefined;
}

/** The typed form of what was entered; undefined for nothing. */
export function valueOf(entered: string | boolean, spec: FieldSpec): Value | undefined {
  if (typeof entered === 'boolean') {
    return entered === (spec.default ?? false) ? undefined : entered;
  }
  const text = spec.type === 'string' || spec.type === undefined ? entered : entered.trim();
  if (text === '') {
    return undefined;
  }
  const numeric = spec.type === 'integer' || spec.type === 'number';
  return numeric && Number.isFinite(Number(text)) ? Number(text) : text;
}

/** What is wrong with an entry, or null. */
export function fieldProblem(value: Value | undefined, field: Field): string | null {
  const { spec } = field;
  if (value === undefined) {
    return field.required ? `${spec.title ?? field.name} is needed.` : null;
  }
  if (spec.type === 'integer' && !Number.isInteger(value)) {
    return 'Must be a whole number.';
  }
  if (spec.type === 'number' && typeof value !== 'number') {
    return 'Must be a number.';
  }
  if (typeof value === 'number') {
    return rangeProblem(value, spec);
  }
  if (spec.pattern !== undefined && !new RegExp(spec.pattern).test(String(value))) {
    return 'This value does not fit this way to sign in.';
  }
  return null;
}

function rangeProblem(value: number, { minimum, maximum }: FieldSpec): string | null {
  if ((minimum === undefined || value >= minimum) && (maximum === undefined || value <= maximum)) {
    return null;
  }
  if (minimum === undefined || maximum === undefined) {
    return maximum === undefined ? `Must be ${minimum} or more.` : `Must be ${maximum} or less.`;
  }
  return `Must be between ${minimum} and ${maximum}.`;
}

/** What is wrong with a connection's name, or null. */
export function nameProblem(name: string, taken: string[]): string | null {
  if (name === '') {
    return 'A name is needed: cells say it, as %%sql NAME.';
  }
  if (!NAME.test(name)) {
    return 'A name begins with a letter and goes on with letters, digits, _ . or -, 64 at most.';
  }
  const same = taken.some(one => folded(one) === folded(name));
  return same ? `There is a connection ${name} already.` : null;
}

/** A name that is free: `base`, or with a number behind it. */
export function freeName(base: string, taken: string[]): string {
  const known = new Set(taken.map(folded));
  let name = base;
  for (let number = 2; known.has(folded(name)); number += 1) {
    name = `${base}_${number}`;
  }
  return name;
}
