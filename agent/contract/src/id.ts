import * as z from 'zod'

/** 64 lower-case hexadecimal characters: containers, execs, networks (image ids carry `sha256:` in front). */
export const id64 = z.string().regex(/^[0-9a-f]{64}$/)

/** What a person types for a container, network or exec: a name, a full id or an unambiguous prefix. Resolved by the room that owns the noun. */
export const nameOrId = z.string().min(1).max(512)

/** Docker's rule for container, volume and network names. */
export const objectName = z
  .string()
  .max(255)
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/, 'use letters, digits, "_", "." and "-", beginning with a letter or a digit')

/** RFC 3339 in UTC with up to nine fractional digits. */
export const timestamp = z.string()

export const labels = z.record(z.string(), z.string())
