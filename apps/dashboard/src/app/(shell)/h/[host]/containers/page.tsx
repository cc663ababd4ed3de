import { ContainerList } from '../../../../../features/containers/container-list'

export default async function ContainersPage({ params }: { params: Promise<{ host: string }> }) {
  return <ContainerList scope={decodeURIComponent((await params).host)} />
}
