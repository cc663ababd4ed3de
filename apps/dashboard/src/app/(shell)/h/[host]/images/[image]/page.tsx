import { ImagePage } from '../../../../../../features/images/image-page'
import { pageTitle } from '../../../../../page-title'

export const generateMetadata = pageTitle('images.title')

export default async function ImageRoute({ params }: { params: Promise<{ host: string; image: string }> }) {
  const { host, image } = await params
  return <ImagePage hostId={decodeURIComponent(host)} image={decodeURIComponent(image)} />
}
