import { ContainerList } from '../../../../../features/containers/container-list'
import { pageTitle } from '../../../../page-title'

export const generateMetadata = pageTitle('containers.title')

export default async function ContainersPage({ params }: { params: Promise<{ host: string }> }) {
  return <ContainerList scope={decodeURIComponent((await params).host)} />
}
