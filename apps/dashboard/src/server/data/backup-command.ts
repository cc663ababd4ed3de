import { resolve } from 'node:path'
import { commandSettings } from '../command-settings.ts'
import { backUp, restore } from './backup.ts'

/** `npm run backup -w @berth/dashboard -- <folder>` and `… -- --restore <folder>`. Exit status 0, or 1 with one sentence, or 2 for wrong use. */
async function main(args: string[]): Promise<void> {
  const { dataRoot } = commandSettings().settings
  const [first, second, ...rest] = args
  if (first && !first.startsWith('-') && second === undefined) {
    await backUp(dataRoot, resolve(first))
    console.log(`The dashboard's data is in ${resolve(first)}. It holds the master key too: keep it as safe as this machine.`)
  } else if (first === '--restore' && second && rest.length === 0) {
    const kept = restore(dataRoot, resolve(second))
    console.log(`${dataRoot} is now what ${resolve(second)} holds.${kept ? ` What was there before is in ${kept}.` : ''}`)
  } else {
    console.error('usage: backup <new folder> | --restore <folder of a backup>')
    process.exitCode = 2
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(`backup: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
})
