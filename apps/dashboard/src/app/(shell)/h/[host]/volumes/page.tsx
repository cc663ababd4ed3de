import { VolumeList } from '../../../../../features/volumes/volume-list'

export default async function VolumesPage({ params }: { params: Promise<{ host: string }> }) {
  return <VolumeList scope={decodeURIComponent((await params).host)} />
}
