import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openStaticFiles } from './static-files.ts'

const script = 'console.log("a page");\n'.repeat(40)
let directory = ''
let server: Server
let url = ''

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'berth-static-'))
  mkdirSync(join(directory, 'static/chunks'), { recursive: true })
  writeFileSync(join(directory, 'static/chunks/a.js'), script)
  writeFileSync(join(directory, 'static/chunks/a.js.br'), brotliCompressSync(script))
  writeFileSync(join(directory, 'static/chunks/font.woff2'), 'font')
  writeFileSync(join(directory, 'secret.js.br'), brotliCompressSync('secret'))
  const files = openStaticFiles(join(directory, 'static'))
  server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://x').pathname
    if (files(request, response, path)) return
    response.statusCode = 404
    response.end('next')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve))
  rmSync(directory, { recursive: true, force: true })
})

const get = (path: string, encoding = 'gzip, deflate, br', method = 'GET') =>
  fetch(`${url}${path}`, { method, headers: { 'accept-encoding': encoding } })

describe('static files', () => {
  it('sends what was compressed at the build, for ever', async () => {
    const answer = await get('/_next/static/chunks/a.js')
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-encoding')).toBe('br')
    expect(answer.headers.get('content-type')).toContain('javascript')
    expect(answer.headers.get('cache-control')).toContain('immutable')
    expect(answer.headers.get('vary')).toBe('Accept-Encoding')
    expect(await answer.text()).toBe(script)
    expect((await get('/_next/static/chunks/a.js', 'br', 'HEAD')).headers.get('content-length')).toBe(
      String(brotliCompressSync(script).length),
    )
  })
  it('leaves everything else to the pages: other encodings, other files, other methods, and whatever lies outside', async () => {
    for (const [path, encoding, method] of [
      ['/_next/static/chunks/a.js', 'gzip', 'GET'],
      ['/_next/static/chunks/a.js', 'br', 'POST'],
      ['/_next/static/chunks/font.woff2', 'br', 'GET'],
      ['/_next/static/chunks/missing.js', 'br', 'GET'],
      ['/_next/static/..%2fsecret.js', 'br', 'GET'],
      ['/_next/static/../secret.js', 'br', 'GET'],
    ] as const)
      expect((await get(path, encoding, method)).status, `${method} ${path}`).toBe(404)
  })
  it('has nothing where nothing was built', async () => {
    expect(openStaticFiles(join(directory, 'nowhere'))({ method: 'GET', headers: {} } as never, {} as never, '/_next/static/a.js')).toBe(
      false,
    )
  })
})
