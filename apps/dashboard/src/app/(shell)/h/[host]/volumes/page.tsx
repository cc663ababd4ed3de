import { VolumeList } from '../../../../../features/volumes/volume-list'
import { pageTitle } from '../../../../page-title'

export const generateMetadata = pageTitle('volumes.title')

export default async function VolumesPage({ params }: { params: Promise<{ host: string }> }) {
  return <VolumeList scope={decodeURIComponent((await params).host)} />
}
