import { arch } from 'node:os'
import type { Platform } from '@berth/contract/image'
import { EngineError } from '../errors.ts'

const architectures: Record<string, string> = {
  x64: 'amd64',
  ia32: '386',
  arm64: 'arm64',
  arm: 'arm',
  riscv64: 'riscv64',
  ppc64: 'ppc64le',
  s390x: 's390x',
  loong64: 'loong64',
}
const aliases: Record<string, Pick<Platform, 'architecture' | 'variant'>> = {
  x86_64: { architecture: 'amd64' },
  'x86-64': { architecture: 'amd64' },
  i386: { architecture: '386' },
  aarch64: { architecture: 'arm64' },
  armhf: { architecture: 'arm', variant: 'v7' },
  armel: { architecture: 'arm', variant: 'v6' },
}
/** Go's systems, which alone may stand without an architecture. */
const systems = new Set(
  'aix android darwin dragonfly freebsd hurd illumos ios js linux netbsd openbsd plan9 solaris wasip1 windows zos'.split(' '),
)
const known = new Set([...Object.values(architectures), 'mips64le', 'mips64'])

/** This machine's platform in Go's words. */
export function hostPlatform(): Platform {
  const architecture = architectures[arch()] ?? arch()
  return { os: 'linux', architecture, ...(architecture === 'arm' ? { variant: 'v7' } : {}) }
}

/**
 * Reads `os[/arch[/variant]]` or `arch`, as `--platform` takes it.
 * @throws invalid_argument
 */
export function parsePlatform(text: string): Platform {
  const parts = text.toLowerCase().split('/')
  if (parts.length > 3 || !parts.every((part) => /^[a-z0-9_.-]{1,32}$/.test(part))) {
    throw new EngineError('invalid_argument', `"${text.slice(0, 80)}" is not a platform; use os/arch or os/arch/variant, as in linux/arm64`)
  }
  const [first = '', second, variant] = parts
  if (second === undefined) {
    const architecture = aliases[first]?.architecture ?? (known.has(first) ? first : null)
    if (!architecture && !systems.has(first))
      throw new EngineError('invalid_argument', `${JSON.stringify(text)}: unknown operating system or architecture: invalid argument`)
    return architecture ? normalize({ os: 'linux', architecture: first }) : normalize({ ...hostPlatform(), os: first })
  }
  return normalize({ os: first, architecture: second, ...(variant ? { variant } : {}) })
}

/** Aliases of architectures replaced by Go's words; arm64's implied variant left out. */
export function normalize(platform: Platform): Platform {
  const alias = aliases[platform.architecture]
  const architecture = alias?.architecture ?? platform.architecture
  let variant = platform.variant || alias?.variant
  if (architecture === 'arm64' && (variant === 'v8' || variant === '8')) variant = undefined
  if (architecture === 'arm' && variant && /^\d$/.test(variant)) variant = `v${variant}`
  return { os: platform.os || 'linux', architecture, ...(variant ? { variant } : {}) }
}

export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant ? [variant] : [])].join('/')
}

/**
 * The best of several for a wanted platform, or null: the same system and architecture; among variants the wanted one, then none given, then the
 * highest lower one (arm v7 runs v6).
 */
export function choosePlatform<T>(candidates: readonly { platform: Platform | null; value: T }[], wanted: Platform): T | null {
  const want = normalize(wanted)
  const rank = (platform: Platform | null): number => {
    if (!platform) return -1
    const have = normalize(platform)
    if (have.os !== want.os || have.architecture !== want.architecture) return -1
    if ((have.variant ?? '') === (want.variant ?? '')) return 100
    if (!have.variant) return 50
    const level = (variant: string | undefined) => Number(/^v?(\d+)$/.exec(variant ?? '')?.[1] ?? (want.architecture === 'arm' ? 7 : 1))
    return level(have.variant) < level(want.variant) ? level(have.variant) : -1
  }
  let best: { rank: number; value: T } | null = null
  for (const { platform, value } of candidates) {
    const own = rank(platform)
    if (own >= 0 && own > (best?.rank ?? -1)) best = { rank: own, value }
  }
  return best?.value ?? null
}

/**
 * An image here is for one platform; another one that was asked for is not there.
 * @throws not_found in Docker's words, so that a client pulls the right one
 */
export function checkPlatform(reference: string, wanted: Platform, actual: Platform): void {
  if (choosePlatform([{ platform: actual, value: true }], wanted)) return
  throw new EngineError(
    'not_found',
    `image with reference ${reference} was found but does not match the specified platform: wanted ${formatPlatform(wanted)}, actual: ${formatPlatform(actual)}`,
  )
}
