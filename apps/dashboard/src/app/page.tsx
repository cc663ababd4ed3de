import { redirect } from 'next/navigation'

/** The front door leads to the hosts; who is not signed in is sent on from there. */
export default function FrontDoor() {
  redirect('/hosts')
}
