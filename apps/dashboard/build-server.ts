import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompress, constants } from 'node:zlib'
import { build } from 'esbuild'

/**
 * Bundles server.ts and the server's commands into `dist/`: one file each, packages stay in node_modules except ours, which are TypeScript sources.
 * Then compresses what browsers load (server/http/static-files.ts serves it).
 */
const here = dirname(fileURLToPath(import.meta.url))

await build({
  absWorkingDir: here,
  entryPoints: {
    server: 'server.ts',
    'audit-verify': 'src/server/audit/verify-command.ts',
    backup: 'src/server/data/backup-command.ts',
    'account-recover': 'src/server/identity/recover-command.ts',
  },
  outdir: join(here, 'dist'),
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  sourcemap: true,
  logLevel: 'warning',
  plugins: [
    {
      name: 'packages-stay-outside',
      setup(build) {
        build.onResolve({ filter: /^[^./]/ }, (args) => {
          if (args.kind === 'entry-point' || args.path.startsWith('@berth/')) return undefined
          return { path: args.path, external: true }
        })
      },
    },
  ],
})

/** A file `x.br` beside every script and style. */
const compress = promisify(brotliCompress)
const directory = join(here, '.next/static')
const names = readdirSync(directory, { recursive: true, encoding: 'utf8' })
for (const name of names) if (name.endsWith('.br')) rmSync(join(directory, name))
await Promise.all(
  names
    .filter((name) => /\.(js|css|svg)$/.test(name))
    .map(async (name) => {
      const bytes = readFileSync(join(directory, name))
      const small = await compress(bytes, {
        params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
      })
      writeFileSync(join(directory, `${name}.br`), small)
    }),
)
