'use client'
import Link from 'next/link'
import type { ReactNode } from 'react'
import { Button } from './button'
import { EmptyState } from './empty-state'

/** In the place of a page about something that is not there (any more): says so, and leads to the list that it would stand in. */
export function Gone({ icon, words, list }: { icon: ReactNode; words: string; list: { href: string; label: string } }) {
  return (
    <EmptyState
      icon={icon}
      action={
        <Button asChild>
          <Link href={list.href}>{list.label}</Link>
        </Button>
      }
    >
      {words}
    </EmptyState>
  )
}
