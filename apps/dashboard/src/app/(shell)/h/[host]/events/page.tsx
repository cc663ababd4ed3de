import { EventsPage } from '../../../../../features/events/events-page'

export default async function Route({ params }: { params: Promise<{ host: string }> }) {
  return <EventsPage scope={decodeURIComponent((await params).host)} />
}
