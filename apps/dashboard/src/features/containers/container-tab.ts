import type { ContainerDetail } from '@berth/contract/container'

/** What every tab of a container's page is given. */
export interface TabInput {
  hostId: string
  hostName: string
  detail: ContainerDetail
  running: boolean
}
