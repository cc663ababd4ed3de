import { type RegistryAuth, registryAuth } from '@berth/contract/registry'
import { EngineError } from '../errors.ts'
import type { Call } from './call.ts'

function decode(header: string, name: string): Record<string, unknown> {
  try {
    const value = JSON.parse(Buffer.from(header, 'base64url').toString('utf8')) as unknown
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch (error) {
    throw new EngineError('invalid_argument', `the header ${name} is not base64 of a JSON object`, { cause: error })
  }
}

function translate(value: Record<string, unknown>): RegistryAuth | undefined {
  const auth = registryAuth.parse({
    username: String(value.username ?? ''),
    password: String(value.password ?? ''),
    identityToken: value.identitytoken ? String(value.identitytoken) : undefined,
    serverAddress: value.serveraddress ? String(value.serveraddress) : undefined,
  })
  return auth.username === '' && auth.password === '' && !auth.identityToken ? undefined : auth
}

/** Credentials that the client sent along (X-Registry-Auth); undefined when it sent none. @throws invalid_argument */
export function sentAuth(call: Call): RegistryAuth | undefined {
  const header = call.request.headers['x-registry-auth']
  return typeof header === 'string' && header !== '' ? translate(decode(header, 'X-Registry-Auth')) : undefined
}

/** Credentials by registry, for builds (X-Registry-Config). @throws invalid_argument */
export function sentAuths(call: Call): Record<string, RegistryAuth> {
  const header = call.request.headers['x-registry-config']
  if (typeof header !== 'string' || header === '') return {}
  const auths: Record<string, RegistryAuth> = {}
  for (const [server, value] of Object.entries(decode(header, 'X-Registry-Config'))) {
    const auth = typeof value === 'object' && value !== null ? translate(value as Record<string, unknown>) : undefined
    if (auth) auths[server] = auth
  }
  return auths
}
