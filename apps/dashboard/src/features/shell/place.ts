'use client'
import { usePathname } from 'next/navigation'
import { everyHost } from '../../wire/across'

/** The nouns that have a page per host, as they stand in the path. */
export const nouns = ['containers', 'images', 'volumes', 'networks', 'registries', 'activity', 'events'] as const
export type Noun = (typeof nouns)[number]

/** Where the person is: `/h/<host or all>/<noun>/…`. Pages that are about no host stand for all of them. */
export function usePlace(): { scope: string; noun: string } {
  const parts = usePathname().split('/')
  return parts[1] === 'h'
    ? { scope: decodeURIComponent(parts[2] ?? everyHost), noun: parts[3] ?? '' }
    : { scope: everyHost, noun: parts[1] ?? '' }
}

/** The path of a noun's page. Registries belong to one host each. */
export function pathOf(scope: string, noun: string): string {
  if (noun === '') return scope === everyHost ? '/hosts' : `/h/${encodeURIComponent(scope)}`
  return `/h/${encodeURIComponent(scope)}/${noun}`
}
