import { ContainerRoute } from './container-route'

export default async function ContainerPageRoute({ params }: { params: Promise<{ host: string; id: string }> }) {
  const { host, id } = await params
  return <ContainerRoute hostId={decodeURIComponent(host)} id={decodeURIComponent(id)} />
}
