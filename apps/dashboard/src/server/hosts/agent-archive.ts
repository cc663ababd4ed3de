import { createHash } from 'node:crypto'
import { type createReadStream, existsSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'

export interface ArchiveFacts {
  /** Lower-case hex. */
  sha256: string
  sizeBytes: number
}

/**
 * The agent as one file for hosts that have no clone of the repository (agent/pack.ts makes it at every build). What makes it trustworthy on the way is its digest, which stands in
 * the command that an administrator copies from a page; so it may travel under any certificate, as enrolment does (contract/enrol.ts).
 */
export class AgentArchive {
  private known: { mtimeMs: number; sizeBytes: number; sha256: string } | null = null

  /** @param path null: there is none (a server that runs from sources) */
  constructor(private readonly path: string | null) {}

  /** Null when there is none. Read again only when it has changed. */
  async facts(): Promise<ArchiveFacts | null> {
    const file = await this.open()
    if (!file) return null
    try {
      const { mtimeMs, size: sizeBytes } = await file.stat()
      if (this.known?.mtimeMs !== mtimeMs || this.known.sizeBytes !== sizeBytes) {
        const hash = createHash('sha256')
        await pipeline(file.createReadStream({ autoClose: false, start: 0 }), hash)
        this.known = { mtimeMs, sizeBytes, sha256: hash.digest('hex') }
      }
      return { sha256: this.known.sha256, sizeBytes }
    } finally {
      await file.close()
    }
  }

  /** Its bytes and how many they are; null when there is none. The stream closes the file. */
  async read(): Promise<{ sizeBytes: number; stream: ReturnType<typeof createReadStream> } | null> {
    const file = await this.open()
    if (!file) return null
    const { size: sizeBytes } = await file.stat()
    return { sizeBytes, stream: file.createReadStream({ end: sizeBytes - 1 }) as ReturnType<typeof createReadStream> }
  }

  private async open(): Promise<FileHandle | null> {
    if (!this.path) return null
    return open(this.path, 'r').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null
      throw error
    })
  }
}

/** Where a build leaves it: `agent/dist` of the checkout that holds `from`. */
export function findAgentArchive(from: string): string | null {
  for (let directory = from; ; directory = dirname(directory)) {
    if (existsSync(join(directory, 'agent/package.json'))) return join(directory, 'agent/dist/berth-agent.tar.gz')
    if (dirname(directory) === directory) return null
  }
}

/**
 * One line of sh for a new host: fetches the archive, verifies it, installs the agent, joins. Leaves nothing behind in the temporary folder, and installs nothing that has another digest.
 * The certificate of the dashboard is not checked (-k), because the digest is.
 */
export function installCommand(input: { url: string; token: string; fingerprint: string; sha256: string }): string {
  const { url, token, fingerprint, sha256 } = input
  return [
    `d=$(mktemp -d) && curl -fsSk -H 'Authorization: Bearer ${token}' -o $d/agent.tar.gz ${url}/api/agent`,
    `echo "${sha256}  $d/agent.tar.gz" | sha256sum -c --quiet`,
    'tar -xzf $d/agent.tar.gz -C $d',
    `bash $d/berth-agent/scripts/install-agent.sh ${url} --token ${token} --fingerprint ${fingerprint}; rm -rf "$d"`,
  ].join(' && ')
}
