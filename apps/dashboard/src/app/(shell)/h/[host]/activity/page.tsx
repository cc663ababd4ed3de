import { ActivityList } from '../../../../../features/activity/activity-list'
import { pageTitle } from '../../../../page-title'

export const generateMetadata = pageTitle('activity.title')

export default async function Route({ params }: { params: Promise<{ host: string }> }) {
  return <ActivityList scope={decodeURIComponent((await params).host)} />
}
