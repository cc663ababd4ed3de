'use client'
import { Menu as MenuIcon, Search } from 'lucide-react'
import Link from 'next/link'
import { useTranslations } from 'next-intl'
import { type ReactNode, useState } from 'react'
import { Button } from '../../ui/button'
import { DockProvider, type DockRenderer } from '../../ui/dock'
import { Key } from '../../ui/keys-dialog'
import { later } from '../../ui/later'
import { Logo } from '../../ui/logo'
import { HostsProvider } from '../../wire/hosts'
import { AppearanceMenu } from './appearance-menu'
import { KeyHelp } from './key-help'
import { Content } from './lost-connection'
import { Nav } from './nav'
import { usePalette } from './palette-door'

const Sheet = later(() => import('../../ui/dialog').then((module) => module.Sheet))

/** What surrounds every page: navigation at the left, a bar above, the dock below. `account` is the account menu. */
export function Shell({
  account,
  renderers,
  children,
}: {
  account: ReactNode
  renderers: Record<string, DockRenderer>
  children: ReactNode
}) {
  const t = useTranslations('shell')
  const [nav, setNav] = useState(false)
  const palette = usePalette()
  return (
    <HostsProvider>
      <div className="flex h-dvh min-h-0">
        <a
          href="#content"
          className="sr-only focus:not-sr-only focus:absolute focus:top-2 focus:left-2 focus:z-80 focus:rounded-md focus:bg-raised focus:px-3 focus:py-2"
        >
          {t('skip')}
        </a>
        <aside className="hidden w-rail shrink-0 flex-col border-r bg-sunken lg:flex">
          <Brand />
          <Nav />
        </aside>
        {nav ? (
          <Sheet open={nav} onOpenChange={setNav} title="Berth" className="!right-auto !left-0 !w-72 border-r border-l-0">
            <div className="-m-4">
              <Nav onGo={() => setNav(false)} />
            </div>
          </Sheet>
        ) : null}
        <div className="flex min-w-0 flex-1 flex-col">
          <DockProvider renderers={renderers}>
            <header className="flex h-bar shrink-0 items-center gap-2 border-b bg-canvas px-3 sm:px-4">
              <Button tone="quiet" size="icon" hint={t('openNavigation')} className="-ml-1.5 lg:hidden" onClick={() => setNav(true)}>
                <MenuIcon aria-hidden />
              </Button>
              <button
                type="button"
                {...palette.near}
                onClick={palette.show}
                className="flex h-control w-full max-w-md items-center gap-2 rounded-md border border-line bg-surface px-2.5 text-ink-3 text-sm hover:border-line-strong hover:text-ink-2"
              >
                <Search className="size-3.5 shrink-0" aria-hidden />
                <span className="truncate">{t('findOrDo')}</span>
                <span className="ml-auto hidden gap-1 sm:flex" aria-hidden>
                  <Key>Ctrl</Key>
                  <Key>K</Key>
                </span>
              </button>
              <div className="ml-auto flex shrink-0 items-center gap-0.5">
                <AppearanceMenu />
                {account}
              </div>
            </header>
            <Content>{children}</Content>
            {palette.surface}
          </DockProvider>
        </div>
        <KeyHelp />
      </div>
    </HostsProvider>
  )
}

function Brand() {
  return (
    <Link href="/hosts" className="flex h-bar shrink-0 items-center gap-2 px-4">
      <Logo />
      <span className="font-semibold text-lg tracking-tight">Berth</span>
    </Link>
  )
}
