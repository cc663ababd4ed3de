import { EventsPage } from '../../../../../features/events/events-page'
import { pageTitle } from '../../../../page-title'

export const generateMetadata = pageTitle('events.title')

export default async function Route({ params }: { params: Promise<{ host: string }> }) {
  return <EventsPage scope={decodeURIComponent((await params).host)} />
}
