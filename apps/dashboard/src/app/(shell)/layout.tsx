import type { ReactNode } from 'react'
import { WireProvider } from '../../wire/provider'
import { DashboardFrame } from './dashboard-frame'

export default function ShellLayout({ children }: { children: ReactNode }) {
  return (
    <WireProvider signedIn>
      <DashboardFrame account={null}>{children}</DashboardFrame>
    </WireProvider>
  )
}
