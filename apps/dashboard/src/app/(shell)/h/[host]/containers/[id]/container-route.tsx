'use client'
import dynamic from 'next/dynamic'
import { ContainerPage, type ForeignTabs } from '../../../../../../features/containers/container-page'

const ContainerLogs = dynamic(() => import('../../../../../../features/logs/container-logs').then((module) => module.ContainerLogs), {
  ssr: false,
})
const TerminalLauncher = dynamic(
  () => import('../../../../../../features/terminals/terminal-launcher').then((module) => module.TerminalLauncher),
  { ssr: false },
)
const FileBrowser = dynamic(() => import('../../../../../../features/files/file-browser').then((module) => module.FileBrowser), {
  ssr: false,
})

/** The tabs that other features draw. */
const foreign: ForeignTabs = {
  logs: ({ hostId, detail }) => <ContainerLogs hostId={hostId} container={detail.id} name={detail.name} />,
  terminal: ({ hostId, hostName, detail, running }) => (
    <TerminalLauncher hostId={hostId} hostName={hostName} container={detail.id} name={detail.name} running={running} />
  ),
  files: ({ hostId, detail }) => <FileBrowser key={detail.id} hostId={hostId} root={{ container: detail.id }} />,
}

export function ContainerRoute({ hostId, id }: { hostId: string; id: string }) {
  return <ContainerPage key={`${hostId}/${id}`} hostId={hostId} id={id} foreign={foreign} />
}
