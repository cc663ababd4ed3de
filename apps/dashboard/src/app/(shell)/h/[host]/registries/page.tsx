import { RegistryList } from '../../../../../features/registries/registry-list'

export default async function Route({ params }: { params: Promise<{ host: string }> }) {
  return <RegistryList scope={decodeURIComponent((await params).host)} />
}
