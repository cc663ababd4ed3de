import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/**
 * Bundles server.ts and the server's commands into `dist/`: one file each, packages stay in node_modules except ours, which are TypeScript sources.
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
