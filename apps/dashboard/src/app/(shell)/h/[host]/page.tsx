import { redirect } from 'next/navigation'
import { EventList } from '../../../../features/events/event-list'
import { HostPage } from '../../../../features/hosts/host-page'
import { pageTitle } from '../../../page-title'

export const generateMetadata = pageTitle('hosts.title')

export default async function HostRoute({ params }: { params: Promise<{ host: string }> }) {
  const host = decodeURIComponent((await params).host)
  if (host === 'all') redirect('/hosts')
  return <HostPage hostId={host} events={<EventList scope={host} />} />
}
