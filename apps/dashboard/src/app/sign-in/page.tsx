import type { Metadata } from 'next'
import { redirect } from 'next/navigation'
import { getTranslations } from 'next-intl/server'
import { Suspense } from 'react'
import { SignInForm } from '../../features/sign-in/sign-in-form'
import { currentPerson, setupNeeded } from '../../server/session-of-page'
import { WireProvider } from '../../wire/provider'
import { EntranceCorner } from '../entrance-corner'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('sign-in'))('title') }
}

export default async function SignInPage() {
  if (await setupNeeded()) redirect('/setup')
  if (await currentPerson()) redirect('/')
  return (
    <WireProvider signedIn={false}>
      <EntranceCorner>
        <Suspense>
          <SignInForm />
        </Suspense>
      </EntranceCorner>
    </WireProvider>
  )
}
