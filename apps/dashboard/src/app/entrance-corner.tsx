import type { ReactNode } from 'react'
import { AppearanceMenu } from '../features/shell/appearance-menu'

/** Language and theme for people who are not signed in yet, in the corner of their page. */
export function EntranceCorner({ children }: { children: ReactNode }) {
  return (
    <>
      {children}
      <div className="absolute top-3 right-3">
        <AppearanceMenu />
      </div>
    </>
  )
}
