import { SetupState } from '../../features/setup/setup-state.tsx'
import { WireProvider } from '../../wire/provider.tsx'

export default function SetupPage() {
  return (
    <WireProvider signedIn={false}>
      <SetupState />
    </WireProvider>
  )
}
