import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/**
 * Bundles the agent into `dist/`: `berth-agent.js` and the chunks that it loads when they are first needed (the builder, the host console, enrolment, …), which
 * keeps an idle agent small. node-pty and re2-wasm stay outside because they carry files of their own; undici and tar-stream because they are CommonJS
 * and loaded late, which a split bundle would give their default export alone.
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
  minifySyntax: true,
  external: ['node-pty', 're2-wasm', 'undici', 'tar-stream', 'bufferutil', 'utf-8-validate'],
  chunkNames: 'chunks/[name]-[hash]',
  // CommonJS packages inside an ES module still want require.
  banner: { js: "import { createRequire as berthCreateRequire } from 'node:module'; const require = berthCreateRequire(import.meta.url);" },
  logLevel: 'warning',
})
