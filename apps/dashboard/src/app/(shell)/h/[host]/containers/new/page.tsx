import { CreatePage } from '../../../../../../features/containers/create-page'
import { pageTitle } from '../../../../../page-title'

export const generateMetadata = pageTitle('containers.create.title')

export default async function NewContainerPage({ params }: { params: Promise<{ host: string }> }) {
  return <CreatePage hostId={decodeURIComponent((await params).host)} />
}
