import { FileBrowser } from '../../../../../../features/files/file-browser'
import { VolumePage } from '../../../../../../features/volumes/volume-page'
import { pageTitle } from '../../../../../page-title'

export const generateMetadata = pageTitle('volumes.title')

export default async function VolumeRoute({ params }: { params: Promise<{ host: string; volume: string }> }) {
  const route = await params
  const host = decodeURIComponent(route.host)
  const volume = decodeURIComponent(route.volume)
  return <VolumePage hostId={host} name={volume} files={<FileBrowser hostId={host} root={{ volume }} />} />
}
