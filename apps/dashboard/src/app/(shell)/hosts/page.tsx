import { HostList } from '../../../features/hosts/host-list'
import { pageTitle } from '../../page-title'

export const generateMetadata = pageTitle('hosts.title')

export default function HostsPage() {
  return <HostList />
}
