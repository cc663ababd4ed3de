import type { Metadata } from 'next'
import { redirect } from 'next/navigation'
import { getTranslations } from 'next-intl/server'
import { SetupForm } from '../../features/setup/setup-form'
import { Entrance } from '../../features/sign-in/entrance'
import { setupNeeded } from '../../server/session-of-page'
import { WireProvider } from '../../wire/provider'
import { EntranceCorner } from '../entrance-corner'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('setup'))('title') }
}

export default async function SetupPage() {
  if (!(await setupNeeded())) redirect('/sign-in')
  const t = await getTranslations('setup')
  return (
    <WireProvider signedIn={false}>
      <EntranceCorner>
        <Entrance title={t('title')} lead={t('lead')} steps={[t('steps.account'), t('steps.host'), t('steps.run')]}>
          <SetupForm />
        </Entrance>
      </EntranceCorner>
    </WireProvider>
  )
}
