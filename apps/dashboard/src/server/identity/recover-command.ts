import { commandSettings } from '../command-settings.ts'
import { openData } from '../data/database.ts'
import { createLog } from '../log.ts'
import { recoverAccount } from './recover.ts'

/** `npm run account:recover -w @berth/dashboard -- <e-mail address>`: recover.ts from the terminal. Exit status 0, 1 with one sentence, 2 for wrong use. */
async function main([email, ...rest]: string[]): Promise<void> {
  if (!email || email.startsWith('-') || rest.length > 0) {
    console.error('usage: account:recover <e-mail address of an account>')
    process.exitCode = 2
    return
  }
  const { settings, migrations } = commandSettings()
  const data = await openData(settings.dataRoot, migrations, { create: false })
  try {
    const base = settings.publicUrl ?? new URL(`http://localhost:${settings.port}`)
    const link = await recoverAccount({ ...data, log: createLog('silent') }, email, base)
    console.log(`Two-step sign-in of ${email} is off. Choose a new password within an hour, once, at:\n\n  ${link}\n`)
  } finally {
    await data.close()
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(`account:recover: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
})
