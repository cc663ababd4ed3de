import { CreatePage } from '../../../../../../features/containers/create-page'

export default async function NewContainerPage({ params }: { params: Promise<{ host: string }> }) {
  return <CreatePage hostId={decodeURIComponent((await params).host)} />
}
