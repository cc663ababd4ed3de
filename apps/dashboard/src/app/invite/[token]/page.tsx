import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { InvitationForm } from '../../../features/sign-in/invitation-form'
import { WireProvider } from '../../../wire/provider'
import { EntranceCorner } from '../../entrance-corner'

export async function generateMetadata(): Promise<Metadata> {
  // The address holds a secret: it goes to nobody as a referrer.
  return { title: (await getTranslations('sign-in'))('invitation'), referrer: 'no-referrer', robots: 'noindex' }
}

export default async function InvitationPage({ params }: { params: Promise<{ token: string }> }) {
  return (
    <WireProvider signedIn={false}>
      <EntranceCorner>
        <InvitationForm token={decodeURIComponent((await params).token)} />
      </EntranceCorner>
    </WireProvider>
  )
}
