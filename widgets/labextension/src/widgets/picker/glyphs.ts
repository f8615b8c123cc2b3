import { svg } from './dom';

/** Small drawings of our own: one tile a built-in driver, a cylinder for everybody else's, and the signs on buttons. */

type Shape = [tag: string, attributes: Record<string, string | number>];

const WHITE = { fill: '#fff' };
const LINE = {
  fill: 'none',
  stroke: '#fff',
  'stroke-width': 1.7,
  'stroke-linecap': 'round',
  'stroke-linejoin': 'round'
};

const TILES: Record<string, { colour: string; shapes: Shape[] }> = {
  duckdb: {
    colour: '#232323',
    shapes: [
      ['circle', { cx: 8.2, cy: 10, r: 4.6, fill: '#ffd91c' }],
      ['rect', { x: 14, y: 8.5, width: 3.4, height: 3, rx: 1.5, fill: '#ffd91c' }]
    ]
  },
  postgresql: {
    colour: '#336791',
    shapes: [
      [
        'path',
        {
          d: 'M5 11.6C3.4 8.4 4.4 4.6 8 4.3c1.4-.1 2.6.3 3.2 1 .8-.7 2.4-1 3.6-.4 2.6 1.2 1.4 5-.4 7.2',
          ...LINE
        }
      ],
      ['path', { d: 'M11.2 5.4c-1.4 2.2-1 4.6-.4 6.4.4 1.4.2 3 .4 3.8.4 1.4 2.6 1.2 2.8-.4', ...LINE }],
      ['circle', { cx: 8, cy: 7.8, r: 0.9, ...WHITE }]
    ]
  },
  mysql: {
    colour: '#00618a',
    shapes: [
      [
        'path',
        {
          d: 'M3.2 13.6c1.6-5.6 6-8.4 10-7 .8-.8 1.8-1 2.6-.8-.4.6-.6 1.2-.6 1.8 1.2 1.2 1.8 2.8 1.8 4.6-1.2-1.4-2.6-2.2-4.2-2.2-.6 1.4-1.8 2.2-3.4 2.4.4-.6.6-1.2.4-2-2.6.2-4.8 1.2-6.6 3.2z',
          ...WHITE
        }
      ],
      [
        'path',
        {
          d: 'M3 16c2.4-1.2 4.6-1.2 7 0s4.6 1.2 7 0',
          fill: 'none',
          stroke: '#f29111',
          'stroke-width': 1.6,
          'stroke-linecap': 'round'
        }
      ]
    ]
  },
  sqlite: {
    colour: '#0f80cc',
    shapes: [
      [
        'path',
        {
          d: 'M16 3.400C10 4 6.4 8 5.8 14.400c1-1.8 2.2-3.6 4-5.2-1.2 2-2 3.6-2.4 5C12.4 13.6 15.6 9.4 16 3.400z',
          ...WHITE
        }
      ],
      ['path', { d: 'M6.2 13c-.6 1.2-.8 2.4-.8 3.8', ...LINE, 'stroke-width': 1.3 }]
    ]
  }
};

const OTHER: { colour: string; shapes: Shape[] } = {
  colour: '#6b7280',
  shapes: [
    ['ellipse', { cx: 10, cy: 5.8, rx: 5, ry: 2, ...LINE, 'stroke-width': 1.4 }],
    [
      'path',
      {
        d: 'M5 5.800v8.400c0 1.1 2.2 2 5 2s5-.9 5-2V5.800M5 10c0 1.1 2.2 2 5 2s5-.9 5-2',
        ...LINE,
        'stroke-width': 1.4
      }
    ]
  ]
};

/** The tile of a driver; decoration, since its name stands beside it. */
export function tile(driver: string, size = 22): SVGElement {
  const { colour, shapes } = Object.hasOwn(TILES, driver) ? TILES[driver]! : OTHER;
  return svg(
    'svg',
    { viewBox: '0 0 20 20', width: size, height: size, 'aria-hidden': 'true', class: 'tusk-tile' },
    svg('rect', { width: 20, height: 20, rx: 4.5, fill: colour }),
    ...shapes.map(([tag, attributes]) => svg(tag, attributes))
  );
}

const SIGNS = {
  tick: 'M3 8.500l3.2 3.200L13 4.8',
  plus: 'M8 3v10M3 8h10',
  dots: 'M3.5 8h.01M8 8h.01M12.5 8h.01',
  back: 'M9.5 3.500L5 8l4.5 4.5',
  lock: 'M4 7.500h8v5.500H4zM5.5 7.500V5.200a2.5 2.5 0 0 1 5 0v2.3',
  key: 'M6.8 9.200a2.6 2.6 0 1 1-2-2.4 2.6 2.6 0 0 1 2 2.400zM6.7 8.500L13 8.500v2.200M10.6 8.500v1.6',
  warning: 'M8 2.800l6 10.400H2zM8 6.600v3M8 11.500h.01',
  cross: 'M4 4l8 8M12 4l-8 8',
  eye: 'M1.5 8S4 3.8 8 3.8 14.5 8 14.5 8 12 12.2 8 12.2 1.5 8 1.5 8zM8 9.800a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.600z',
  bolt: 'M9 1.800L3.5 9H8l-1 5.200L12.5 7H8z',
  pencil: 'M3 13l.7-3L10.5 3.200l2.3 2.300L6 12.300z',
  copy: 'M6 5.500h7v8H6zM3.5 10.500v-8h7',
  trash: 'M3 4.500h10M6.5 4.500V3h3v1.500M4.5 4.500l.6 9h5.800l.6-9M7 7v4M9 7v4',
  ring: 'M8 12.500a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9z'
};

/** A sign in the colour of the text around it. */
export function sign(name: keyof typeof SIGNS, size = 16): SVGElement {
  return svg(
    'svg',
    { viewBox: '0 0 16 16', width: size, height: size, 'aria-hidden': 'true', class: 'tusk-sign' },
    svg('path', {
      d: SIGNS[name],
      fill: 'none',
      stroke: 'currentColor',
      'stroke-width': name === 'dots' ? 2.4 : 1.5,
      'stroke-linecap': 'round',
      'stroke-linejoin': 'round'
    })
  );
}
