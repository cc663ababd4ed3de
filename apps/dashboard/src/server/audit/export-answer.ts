import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Principal } from '../access/access.ts'
import { auditFilter } from '../api/audit-router.ts'
import type { ApiRooms } from '../api/context.ts'
import { requireDashboardPermission } from '../api/procedure.ts'
import { ServerError } from '../errors.ts'
import { dataPolicy } from '../http/security-headers.ts'
import type { ChainedEntry } from './chain.ts'

const columns = [
  'sequence',
  'at',
  'personName',
  'personId',
  'via',
  'from',
  'hostName',
  'hostId',
  'action',
  'subject',
  'detail',
  'outcome',
  'message',
  'previousHash',
  'hash',
] as const satisfies readonly (keyof ChainedEntry)[]

/** A field that a spreadsheet would take for a formula is led by an apostrophe (OWASP, CSV injection). */
function csvField(value: string | number): string {
  const text = String(value)
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** `GET /api/audit/export?format=jsonl|csv` and the list's filters: the audit as a file, oldest line first, a page in memory at a time. The export itself is recorded. */
export async function answerAuditExport(rooms: ApiRooms, principal: Principal | null, url: URL, response: ServerResponse): Promise<void> {
  requireDashboardPermission(rooms, principal, 'administrator')
  const { format = 'jsonl', ...rest } = Object.fromEntries(url.searchParams)
  if (format !== 'jsonl' && format !== 'csv') throw new ServerError('invalid_argument', 'format is jsonl or csv')
  const parsed = auditFilter.safeParse(rest)
  if (!parsed.success)
    throw new ServerError('invalid_argument', parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '))
  await rooms.audit.append({ actor: principal as Principal, action: 'audit.export', detail: { format, ...parsed.data }, outcome: 'ok' })
  response.writeHead(200, {
    'content-type': format === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson',
    'content-disposition': `attachment; filename="berth-audit-${new Date().toISOString().slice(0, 10)}.${format}"`,
    'cache-control': 'no-store',
    'content-security-policy': dataPolicy,
  })
  if (format === 'csv') response.write(`${columns.join(',')}\r\n`)
  for await (const entry of rooms.audit.export(parsed.data)) {
    const line = format === 'csv' ? `${columns.map((column) => csvField(entry[column])).join(',')}\r\n` : `${JSON.stringify(entry)}\n`
    if (!response.write(line)) await once(response, 'drain')
    if (response.destroyed) return
  }
  response.end()
}
