import { control, select, textInput, type Control } from './control';
import { h } from './dom';
import type { Value } from './messages';
import { fieldProblem, valueOf, type Field } from './schema';

/** A field of the driver as an input; what is entered is kept in `entries`, so that it outlives a change of the way. */
export interface DrawnField extends Control {
  field: Field;
  value(): Value | undefined;
  check(brief?: boolean): boolean;
}

export function drawField(field: Field, entries: Map<string, string | boolean>, span: number): DrawnField {
  const { spec, name } = field;
  const labels = {
    name,
    title: spec.title ?? name,
    description: spec.description,
    required: field.required,
    span,
    checked: ['integer', 'number'].includes(spec.type ?? '') || spec.pattern !== undefined
  };
  const entered = entries.get(name);
  const input = inputOf(field, entered);
  const made = control(labels, input);
  const read = () =>
    input instanceof HTMLInputElement && input.type === 'checkbox' ? input.checked : input.value;
  const value = () => valueOf(read(), spec);
  const check = (brief = false) => {
    const problem = fieldProblem(value(), field);
    made.complain(problem, brief);
    return problem === null;
  };
  input.addEventListener('input', () => {
    entries.set(name, read());
    if (input.getAttribute('aria-invalid') === 'true') {
      check(true);
    }
  });
  input.addEventListener('blur', () => {
    if (value() !== undefined && input.getAttribute('aria-invalid') !== 'true') {
      check(true);
    }
  });
  return { ...made, field, value, check };
}

function inputOf(
  { spec, required }: Field,
  entered: string | boolean | undefined
): HTMLInputElement | HTMLSelectElement {
  if (spec.type === 'boolean') {
    const box = h('input', { type: 'checkbox' });
    box.checked = entered === undefined ? spec.default === true : entered === true;
    return box;
  }
  const text = entered === undefined ? '' : String(entered);
  const preset = spec.default === undefined || spec.default === null ? '' : String(spec.default);
  if (spec.enum) {
    const none = { value: '', title: preset ? `${preset} (default)` : required ? 'Choose …' : 'Default' };
    const others = spec.enum.map(String).filter(one => one !== preset);
    return select([none, ...others.map(one => ({ value: one, title: one }))], text === preset ? '' : text);
  }
  const numeric = spec.type === 'integer' || spec.type === 'number';
  const input = textInput({
    inputmode: numeric ? 'numeric' : null,
    placeholder: preset,
    class: spec.format === 'path' ? 'tusk-input tusk-path' : 'tusk-input'
  });
  input.value = text;
  return input;
}

/** Columns for each field: a number is narrow, and a text before it takes the rest of the row. */
export function spans(fields: Field[]): number[] {
  const narrow = (field?: Field) => field?.spec.type === 'integer' || field?.spec.type === 'number';
  let used = 0;
  return fields.map((field, at) => {
    const span = narrow(field) ? 2 : narrow(fields[at + 1]) && used % 6 === 0 ? 4 : 3;
    used += span;
    return span;
  });
}
