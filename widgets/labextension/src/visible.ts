/**
 * Text of others as a page may show it, by the table of `tusk_jupyter/visible.py`: a sign for each character that would be
 * obeyed or not be seen, such as a bidirectional override, which shows other SQL than what runs.
 *
 * For what is drawn, never for what is copied, edited or exported. The three functions that make elements see to it.
 */

const OBEYED =
  /\r\n|[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udfff]/gu;

export function visible(text: string): string {
  return text.replace(OBEYED, signOf);
}

function signOf(obeyed: string): string {
  const code = obeyed.charCodeAt(0);
  if (obeyed.length > 1) {
    return '\n';
  }
  if (code < 0x20) {
    return String.fromCharCode(0x2400 + code); // Unicode's pictures: U+001B is ␛
  }
  if (code === 0x7f) {
    return '␡';
  }
  return code === 0x9b ? '␛' : code >= 0xd800 && code <= 0xdfff ? '?' : '\ufffd';
}

/** The attributes that are shown, or read out. */
const SHOWN = new Set(['title', 'label', 'aria-label', 'placeholder']);

/** The value of an attribute, made visible if it is one that is shown. */
export function visibleAttribute(name: string, value: string): string {
  return SHOWN.has(name) ? visible(value) : value;
}
