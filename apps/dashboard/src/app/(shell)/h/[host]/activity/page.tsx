import { ActivityList } from '../../../../../features/activity/activity-list'

export default async function Route({ params }: { params: Promise<{ host: string }> }) {
  return <ActivityList scope={decodeURIComponent((await params).host)} />
}
