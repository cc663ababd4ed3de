'use client'
import '../ui/theme.css'
import english from '../../messages/en/recovery.json'
import chinese from '../../messages/zh-CN/recovery.json'
import { isFetchFailure, useRecovery } from '../ui/use-recovery'

/** What is left when the frame around every page broke; it stands without anything of that frame. When only the server was away, the page comes back by itself. */
export default function FrameError({ error }: { error: Error }) {
  useRecovery(error)
  const isChinese = typeof navigator !== 'undefined' && navigator.language.startsWith('zh')
  const words = isChinese ? chinese : english
  return (
    <html lang={isChinese ? 'zh-CN' : 'en'}>
      <body>
        <main className="grid min-h-dvh content-center justify-items-center gap-3 p-6 text-center">
          <h1 className="font-semibold text-lg">{isFetchFailure(error) ? words.away : words.broke}</h1>
          <p className="text-ink-2">{isFetchFailure(error) ? words.comesBack : error.message}</p>
          <button type="button" className="rounded-md border px-3 py-1.5" onClick={() => window.location.reload()}>
            {words.reload}
          </button>
        </main>
      </body>
    </html>
  )
}
