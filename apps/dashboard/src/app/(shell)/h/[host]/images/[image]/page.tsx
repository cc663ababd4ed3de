import { ImagePage } from '../../../../../../features/images/image-page'

export default async function ImageRoute({ params }: { params: Promise<{ host: string; image: string }> }) {
  const { host, image } = await params
  return <ImagePage hostId={decodeURIComponent(host)} image={decodeURIComponent(image)} />
}
