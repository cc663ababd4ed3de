/** Random two-word names for containers that nobody named. */
import { randomInt } from 'node:crypto'

const qualities =
  `able amber ample ancient apt arctic azure bold brave breezy bright brisk broad calm candid careful cheerful civil clear clever coastal cosy
  crisp curious daring deep deft eager early earnest easy even fair famous fast fearless fine firm fleet fluent frank free fresh friendly frosty gallant gentle
  glad golden graceful grand handy happy hardy hearty helpful honest humble jolly keen kind lively loyal lucid lucky mellow merry mighty mild modest neat nimble
  noble northern patient plucky polite proud prompt quick quiet rapid ready robust rustic sage salty serene sharp silent silver sleek smooth snug sober solid
  southern sparkling spry stable starry steady stout strong sturdy subtle sunny sure swift tame tidal tidy tranquil true trusty upbeat valiant vast vivid warm
  western whole wise witty young zesty`
    .trim()
    .split(/\s+/)

const things =
  `albatross anchor atoll aurora barge barque bay beacon berth boatswain bollard bosun bow breaker breeze brig bulwark buoy cabin canal canoe cape
  capstan captain cargo catamaran channel clipper cog coral cormorant cove coxswain crane crate current cutter deck dhow dinghy dock dolphin dory drifter ebb eddy
  estuary ferry fjord fleet foghorn freighter frigate galleon galley gangway gannet gull gunwale halyard harbour hatch haven hawser heron helm hull island isthmus
  jetty jib junk kayak keel ketch kittiwake lagoon landing lantern launch ledge lighter lighthouse liner lock lugger mast mate mooring narrowboat navigator osprey otter outrigger
  oyster packet pelican petrel pier pilot pinnace plover pontoon porpoise port porthole prow puffin punt quay raft reef regatta rigging rudder sail sailor
  schooner scow seal seaman shallop shore skiff skipper slipway sloop sound spar spinnaker squall starboard stern strait tender tern tide tiller trawler trimaran
  tug turnstone voyage walrus wave wharf wherry whistle windlass yacht yawl`
    .trim()
    .split(/\s+/)

const attempts = 20

/** A name that `taken` does not know: `calm_schooner`, with a number behind it when chance is against us. */
export function randomName(taken: (name: string) => boolean): string {
  for (let attempt = 0; ; attempt++) {
    const name = `${qualities[randomInt(qualities.length)]}_${things[randomInt(things.length)]}${attempt < attempts ? '' : randomInt(1_000_000)}`
    if (!taken(name)) return name
  }
}
