import { NetworkPage } from '../../../../../../features/networks/network-page'
import { pageTitle } from '../../../../../page-title'

export const generateMetadata = pageTitle('networks.title')

export default async function NetworkRoute({ params }: { params: Promise<{ host: string; network: string }> }) {
  const { host, network } = await params
  return <NetworkPage hostId={decodeURIComponent(host)} id={decodeURIComponent(network)} />
}
