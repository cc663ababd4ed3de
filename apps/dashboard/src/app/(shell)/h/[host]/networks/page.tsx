import { NetworkList } from '../../../../../features/networks/network-list'

export default async function NetworksPage({ params }: { params: Promise<{ host: string }> }) {
  return <NetworkList scope={decodeURIComponent((await params).host)} />
}
