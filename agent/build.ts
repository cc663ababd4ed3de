import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { external } from './external.ts'

/**
 * Bundles the agent into `dist/`: `berth-agent.js` and the chunks that it loads when they are first needed (the builder, the host console, enrolment, …), which
 * keeps an idle agent small. What stays outside is told by external.ts.
 */
const here = dirname(fileURLToPath(import.meta.url))
rmSync(join(here, 'dist'), { recursive: true, force: true })
await build({
  entryPoints: { 'berth-agent': join(here, 'src/main.ts') },
  outdir: join(here, 'dist'),
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: true,
  // A stack needs names and lines alone; the sources themselves would be 5 MB in an agent that has shown its first one.
  sourcesContent: false,
  minifySyntax: true,
  external: [...Object.keys(external), 'bufferutil', 'utf-8-validate'],
  chunkNames: 'chunks/[name]-[hash]',
  // CommonJS packages inside an ES module still want require.
  banner: { js: "import { createRequire as berthCreateRequire } from 'node:module'; const require = berthCreateRequire(import.meta.url);" },
  logLevel: 'warning',
})
