import { headers } from 'next/headers'
import { redirect } from 'next/navigation'
import { NuqsAdapter } from 'nuqs/adapters/next/app'
import type { ReactNode } from 'react'
import { AccountMenu } from '../../features/account/account-menu'
import { currentPerson, setupNeeded } from '../../server/session-of-page'
import { WireProvider } from '../../wire/provider'
import { DashboardFrame } from './dashboard-frame'

/** Every page behind the sign-in. */
export default async function ShellLayout({ children }: { children: ReactNode }) {
  if (!(await currentPerson())) {
    if (await setupNeeded()) redirect('/setup')
    const path = (await headers()).get('x-berth-path') ?? '/'
    redirect(`/sign-in?next=${encodeURIComponent(path)}`)
  }
  return (
    <WireProvider signedIn>
      <NuqsAdapter>
        <DashboardFrame account={<AccountMenu />}>{children}</DashboardFrame>
      </NuqsAdapter>
    </WireProvider>
  )
}
