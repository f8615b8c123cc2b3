/** Icons in the manner of Lab's own: 24 x 24, coloured by the theme. */
import { LabIcon } from '@jupyterlab/ui-components';

function icon(name: string, ...paths: string[]): LabIcon {
  const drawn = paths.map(path => `<path d="${path}"/>`).join('');
  return new LabIcon({
    name: `tusk:${name}`,
    svgstr:
      '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">' +
      `<g class="jp-icon3 jp-icon-selectable" fill="#616161" fill-rule="evenodd">${drawn}</g></svg>`
  });
}

/** A cylinder whose side ends in a tusk. */
export const tuskIcon = icon(
  'panel',
  'M11 2C6.6 2 3 3.6 3 5.5S6.6 9 11 9s8-1.600 8-3.500S15.400 2 11 2z',
  'M3 8.200v4.300C3 14.400 6.600 16 11 16s8-1.600 8-3.500V8.200C17.200 9.900 14.200 10.800 11 10.800S4.800 9.900 3 8.200z',
  'M3 15.200v3.300C3 20.400 6.600 22 11 22c5.500 0 9.700-2.300 11-7.500-1.100 1.600-2.700 2.600-4.300 3-1.900.5-4.300.3-6.700.3-3.200 0-6.200-.9-8-2.600z'
);
export const connectionIcon = icon(
  'connection',
  'M12 3C7.600 3 4 4.600 4 6.500v11C4 19.400 7.600 21 12 21s8-1.600 8-3.500v-11C20 4.600 16.400 3 12 3zm0 2c3.500 0 6 1 6 1.500S15.500 8 12 8 6 7 6 6.500 8.500 5 12 5zm6 12.500c0 .5-2.500 1.500-6 1.500s-6-1-6-1.500V14.700c1.500.8 3.600 1.300 6 1.300s4.500-.5 6-1.300v2.800zm0-5.500c0 .5-2.500 1.500-6 1.500S6 12.500 6 12V9.200c1.500.8 3.600 1.300 6 1.300s4.500-.5 6-1.300V12z'
);
export const catalogIcon = icon(
  'catalog',
  'M4 4h7v7H4V4zm2 2v3h3V6H6zM13 4h7v7h-7V4zm2 2v3h3V6h-3zM4 13h7v7H4v-7zm2 2v3h3v-3H6zM13 13h7v7h-7v-7zm2 2v3h3v-3h-3z'
);
export const schemaIcon = icon('schema', 'M3 5h7l2 2h9v12H3V5zm2 4v8h14V9H5z');
export const tableIcon = icon(
  'table',
  'M3 4h18v16H3V4zm2 5v3h4V9H5zm6 0v3h8V9h-8zm-6 5v4h4v-4H5zm6 0v4h8v-4h-8z'
);
export const viewIcon = icon(
  'view',
  'M12 5C7 5 2.700 8.100 1 12.500 2.700 16.900 7 20 12 20s9.300-3.100 11-7.500C21.300 8.100 17 5 12 5zm0 12.500a5 5 0 1 1 0-10 5 5 0 0 1 0 10zm0-2a3 3 0 1 0 0-6 3 3 0 0 0 0 6z'
);
export const columnIcon = icon('column', 'M8 4h8v16H8V4zm2 2v12h4V6h-4z');
export const primaryKeyIcon = icon(
  'key',
  'M7 7a5 5 0 1 0 4.600 7H15v3h3v-3h3v-4h-9.400A5 5 0 0 0 7 7zm0 3a2 2 0 1 1 0 4 2 2 0 0 1 0-4z'
);
export const queryIcon = icon(
  'query',
  'M4 3h11l5 5v13H4V3zm2 2v14h12V9h-4V5H6zm2 7h8v1.600H8V12zm0 3h6v1.600H8V15z'
);
