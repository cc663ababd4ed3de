'use client'
import Link from 'next/link'
import { type ComponentProps, useState } from 'react'

/**
 * A link in a row of a long list. Next.js fetches ahead what every link in view leads to; a list that is scrolled would ask the server for page after page that nobody opens. Here only the
 * link is fetched that the pointer or the focus has come to (Next.js's manual, "Prefetching", hover-triggered).
 */
export function RowLink(props: Omit<ComponentProps<typeof Link>, 'prefetch' | 'onPointerEnter' | 'onFocus'>) {
  const [near, setNear] = useState(false)
  const come = () => setNear(true)
  return <Link {...props} prefetch={near ? null : false} onPointerEnter={come} onFocus={come} />
}
