import { pageTitle } from '../../../../../page-title'
import { ContainerRoute } from './container-route'

export const generateMetadata = pageTitle('containers.title')

export default async function ContainerPageRoute({ params }: { params: Promise<{ host: string; id: string }> }) {
  const { host, id } = await params
  return <ContainerRoute hostId={decodeURIComponent(host)} id={decodeURIComponent(id)} />
}
