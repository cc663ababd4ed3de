import { NetworkList } from '../../../../../features/networks/network-list'
import { pageTitle } from '../../../../page-title'

export const generateMetadata = pageTitle('networks.title')

export default async function NetworksPage({ params }: { params: Promise<{ host: string }> }) {
  return <NetworkList scope={decodeURIComponent((await params).host)} />
}
