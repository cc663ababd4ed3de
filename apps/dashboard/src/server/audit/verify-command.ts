import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openData } from '../data/database.ts'
import { loadSettings } from '../settings.ts'
import { verifyChain } from './audit.ts'

/** `npm run audit:verify -w @berth/dashboard`: follows the chain and says whether a line was changed, removed or cut off. Exit status 0 whole, 1 broken, 2 cannot tell. */
async function main(): Promise<void> {
  const settings = loadSettings(process.env)
  const here = dirname(fileURLToPath(import.meta.url))
  const root = here.endsWith('dist') ? join(here, '../../..') : join(here, '../../../../..')
  const data = await openData(settings.dataRoot, join(root, 'prisma/sqlite/migrations'), { create: false })
  try {
    const verdict = await verifyChain(data)
    if (verdict.ok) console.log(`The audit chain is whole: ${verdict.checked} lines, head ${verdict.headHash}.`)
    else {
      console.error(`The audit chain is broken: ${verdict.reason}. ${verdict.checked} lines before it are whole.`)
      process.exitCode = 1
    }
  } finally {
    await data.close()
  }
}

main().catch((error: unknown) => {
  console.error(`audit:verify: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 2
})
