import { ImageList } from '../../../../../features/images/image-list'

export default async function ImagesPage({ params }: { params: Promise<{ host: string }> }) {
  return <ImageList scope={decodeURIComponent((await params).host)} />
}
