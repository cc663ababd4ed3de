'use client'
import { type ComponentType, createContext, type ReactNode } from 'react'

export interface MenuItemProps {
  children: ReactNode
  onSelect?: () => void
  disabledReason?: string | null | false
  danger?: boolean
  /** A key, at the right end. */
  hint?: string
}
export interface MenuCheckProps {
  checked: boolean
  onChange: (checked: boolean) => void
  children: ReactNode
}
export interface MenuRadioProps {
  value: string
  onChange: (value: string) => void
  choices: readonly { value: string; label: ReactNode }[]
}
export interface MenuParts {
  Item: ComponentType<MenuItemProps>
  Check: ComponentType<MenuCheckProps>
  Radio: ComponentType<MenuRadioProps>
  Label: ComponentType<{ children: ReactNode }>
  Line: ComponentType
  /** Puts the focus on the menu's button again, before an entry does what it does: a dialog then gives it back there. */
  giveFocusBack: () => void
}
/** Filled by the surface for the entries inside it. */
export const MenuPartsContext = createContext<MenuParts | null>(null)
