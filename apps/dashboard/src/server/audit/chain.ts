import { createHash } from 'node:crypto'

/** One line of the audit. Times as ISO 8601 in UTC with milliseconds. */
export interface AuditEntry {
  sequence: number
  at: string
  personId: string
  personName: string
  via: string
  from: string
  hostId: string
  hostName: string
  action: string
  subject: string
  detail: string
  outcome: string
  message: string
}
export interface ChainedEntry extends AuditEntry {
  previousHash: string
  hash: string
}

/** What the first line follows. */
export const genesis = '0'.repeat(64)

const fields = [
  'sequence',
  'at',
  'personId',
  'personName',
  'via',
  'from',
  'hostId',
  'hostName',
  'action',
  'subject',
  'detail',
  'outcome',
  'message',
] as const

/** SHA-256, hex, over the previous hash and the JSON array of the fields in fixed order: an array has one spelling. */
export function hashEntry(previousHash: string, entry: AuditEntry): string {
  return createHash('sha256')
    .update(JSON.stringify([previousHash, ...fields.map((field) => entry[field])]))
    .digest('hex')
}

export interface Verdict {
  ok: boolean
  /** Lines that were checked. */
  checked: number
  /** The first line that is wrong, and how. */
  brokenAt: number | null
  reason: string
  headHash: string
}

/** Follows a chain line by line. */
export class ChainVerifier {
  private previous = genesis
  private next = 1
  private broken: { at: number; reason: string } | null = null

  /** Lines in order. After the first wrong one the rest is not looked at. */
  add(entry: ChainedEntry): void {
    if (this.broken) return
    if (entry.sequence !== this.next) this.broken = { at: this.next, reason: `line ${this.next} is missing` }
    else if (entry.previousHash !== this.previous)
      this.broken = { at: entry.sequence, reason: `line ${entry.sequence} does not follow line ${entry.sequence - 1}` }
    else if (hashEntry(this.previous, entry) !== entry.hash)
      this.broken = { at: entry.sequence, reason: `line ${entry.sequence} was changed` }
    else {
      this.previous = entry.hash
      this.next += 1
    }
  }

  /** @param head the newest line that the server sealed, outside the chain: tells whether lines were cut off the end */
  finish(head: { sequence: number; hash: string } | null): Verdict {
    const checked = this.next - 1
    if (!this.broken && head && (head.sequence !== checked || head.hash !== this.previous))
      this.broken = {
        at: Math.min(checked, head.sequence) + 1,
        reason: `the chain ends at line ${checked}, but the sealed head is line ${head.sequence}`,
      }
    return {
      ok: this.broken === null,
      checked,
      brokenAt: this.broken?.at ?? null,
      reason: this.broken?.reason ?? '',
      headHash: this.previous,
    }
  }
}
