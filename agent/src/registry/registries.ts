import type { RegistryAuth } from '@berth/contract/registry'

/** Stored credentials (mode 0600, encrypted with a key file beside them) and questions to registries. Secrets never leave but towards their registry. */
export interface Registries {
  list(): { server: string; username: string; insecure: boolean; mirrors: string[]; storedAt: string | null }[]
  /** Checks with the registry first. @throws unauthenticated with the registry's words, unavailable */
  login(input: RegistryAuth & { serverAddress: string }, options: { store: boolean }): Promise<{ status: string; identityToken: string }>
  logout(server: string): Promise<void>
  test(server: string): Promise<{ ok: boolean; message: string; version: string }>
  catalog(server: string, page: { last?: string; limit: number }): Promise<{ repositories: string[]; next: string | null }>
  tags(repository: string): Promise<string[]>
  deleteTag(reference: string): Promise<void>
}
