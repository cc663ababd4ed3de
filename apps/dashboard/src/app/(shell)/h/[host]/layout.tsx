import type { ReactNode } from 'react'
import { KnownHost } from '../../../../features/hosts/known-host'

export default async function HostLayout({ children, params }: { children: ReactNode; params: Promise<{ host: string }> }) {
  return <KnownHost scope={decodeURIComponent((await params).host)}>{children}</KnownHost>
}
