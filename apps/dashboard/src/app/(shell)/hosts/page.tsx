import { HostList } from '../../../features/hosts/host-list'

export default function HostsPage() {
  return <HostList />
}
