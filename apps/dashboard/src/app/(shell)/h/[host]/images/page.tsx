import { ImageList } from '../../../../../features/images/image-list'
import { pageTitle } from '../../../../page-title'

export const generateMetadata = pageTitle('images.title')

export default async function ImagesPage({ params }: { params: Promise<{ host: string }> }) {
  return <ImageList scope={decodeURIComponent((await params).host)} />
}
