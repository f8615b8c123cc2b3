// Bundles the notebook widgets: one ES module and one style sheet each, as anywidget loads them.
import { build } from 'esbuild';
import { existsSync, readdirSync } from 'node:fs';

const folder = 'src/widgets';
const entries = readdirSync(folder)
  .filter(name => name.endsWith('.entry.ts') || name.endsWith('.entry.css'))
  .map(name => ({ in: `${folder}/${name}`, out: name.replace(/\.entry\.(ts|css)$/, '') }));
if (!existsSync(folder) || entries.length === 0) {
  throw new Error(`${folder} holds no *.entry.ts`);
}
await build({
  entryPoints: entries,
  outdir: '../tusk_widgets/static',
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  legalComments: 'eof'
});
