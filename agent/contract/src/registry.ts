import * as z from 'zod'

export const registryAuth = z.object({
  username: z.string().default(''),
  password: z.string().default(''),
  identityToken: z.string().optional(),
  serverAddress: z.string().optional(),
})
export type RegistryAuth = z.infer<typeof registryAuth>
/** What may be shown of a stored credential: never the secret. */
export const registryEntry = z.object({
  server: z.string(),
  username: z.string(),
  insecure: z.boolean(),
  mirrors: z.array(z.string()),
  storedAt: z.string().nullable(),
})
export const registryLogin = z.object({ server: z.string().min(1), username: z.string().min(1), password: z.string().min(1) })
export const searchResult = z.object({ name: z.string(), description: z.string(), stars: z.number(), official: z.boolean() })
export const catalogPage = z.object({ repositories: z.array(z.string()), next: z.string().nullable() })
export const registryName = z.object({ server: z.string().min(1) })
export const repositoryName = z.object({ repository: z.string().min(1) })
export const catalogInput = z.object({
  server: z.string().min(1),
  last: z.string().optional(),
  limit: z.number().int().min(1).max(1000).default(100),
})
