import { commandSettings } from '../command-settings.ts'
import { openData } from '../data/database.ts'
import { verifyChain } from './audit.ts'

/** `npm run audit:verify -w @berth/dashboard`: follows the chain and says whether a line was changed, removed or cut off. Exit status 0 whole, 1 broken, 2 cannot tell. */
async function main(): Promise<void> {
  const { settings, migrations } = commandSettings()
  const data = await openData(settings.dataRoot, migrations, { create: false })
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
