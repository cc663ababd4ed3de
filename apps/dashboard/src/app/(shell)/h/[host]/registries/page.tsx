import { RegistryList } from '../../../../../features/registries/registry-list'
import { pageTitle } from '../../../../page-title'

export const generateMetadata = pageTitle('registries.title')

export default async function Route({ params }: { params: Promise<{ host: string }> }) {
  return <RegistryList scope={decodeURIComponent((await params).host)} />
}
