/** A token server for docker-registry's `auth: token`: one user, tokens signed by a certificate made for the test. */
import { execFileSync } from 'node:child_process'
import { createSign } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TokenServer {
  realm: string
  service: string
  issuer: string
  certificate: string
  /** What was asked: query and authorization. */
  requests: { scopes: string[]; account: string | null; authorized: boolean }[]
  stop(): Promise<void>
}

const service = 'test-registry'
const issuer = 'test-issuer'

export async function startTokenServer(user: string, password: string): Promise<TokenServer> {
  const directory = mkdtempSync(join(tmpdir(), 'berth-token-'))
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=token', '-days', '2']
  execFileSync('openssl', [...args, '-keyout', join(directory, 'key'), '-out', join(directory, 'cert')], { stdio: 'ignore' })
  const key = readFileSync(join(directory, 'key'), 'utf8')
  const certificate = readFileSync(join(directory, 'cert'), 'utf8')
  rmSync(directory, { recursive: true })
  const requests: TokenServer['requests'] = []
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://token')
    const scopes = url.searchParams.getAll('scope')
    const authorized = isUser(request, user, password)
    requests.push({ scopes, account: url.searchParams.get('account'), authorized })
    if (!authorized) {
      response.writeHead(401, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ errors: [{ code: 'UNAUTHORIZED', message: 'incorrect username or password' }] }))
      return
    }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ token: sign(key, certificate, user, scopes), expires_in: 300 }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  return {
    realm: `http://127.0.0.1:${port}/token`,
    service,
    issuer,
    certificate,
    requests,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function isUser(request: IncomingMessage, user: string, password: string): boolean {
  return request.headers.authorization === `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

function sign(key: string, certificate: string, subject: string, scopes: string[]): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const der = certificate.replace(/-----[^-]+-----|\s/g, '')
  const now = Math.floor(Date.now() / 1000)
  const access = scopes.map((scope) => {
    const [type, ...rest] = scope.split(':')
    return { type, name: rest.slice(0, -1).join(':'), actions: rest.at(-1)?.split(',') }
  })
  const claims = { iss: issuer, sub: subject, aud: service, exp: now + 300, nbf: now - 10, iat: now, jti: String(Math.random()), access }
  const body = `${part({ typ: 'JWT', alg: 'ES256', x5c: [der] })}.${part(claims)}`
  const signature = createSign('SHA256').update(body).sign({ key, dsaEncoding: 'ieee-p1363' })
  return `${body}.${signature.toString('base64url')}`
}
