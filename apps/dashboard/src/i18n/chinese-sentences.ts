import api from '../../messages/sentences/zh-CN/api.json'
import build from '../../messages/sentences/zh-CN/build.json'
import containers from '../../messages/sentences/zh-CN/containers.json'
import dashboard from '../../messages/sentences/zh-CN/dashboard.json'
import engine from '../../messages/sentences/zh-CN/engine.json'
import images from '../../messages/sentences/zh-CN/images.json'
import networks from '../../messages/sentences/zh-CN/networks.json'
import page from '../../messages/sentences/zh-CN/page.json'
import programs from '../../messages/sentences/zh-CN/programs.json'
import progress from '../../messages/sentences/zh-CN/progress.json'
import registry from '../../messages/sentences/zh-CN/registry.json'
import storage from '../../messages/sentences/zh-CN/storage.json'
import system from '../../messages/sentences/zh-CN/system.json'
import { sentenceTranslator } from './sentence-matcher'

/**
 * The Chinese of everything that hosts, the server and the pages' own checks say, and of the words of progress. Those stand apart: "Waiting" may be the name of something in any sentence.
 * Large: fetched only where Chinese is read (use-sentences.ts).
 */
const sentences = sentenceTranslator({
  ...api,
  ...build,
  ...containers,
  ...dashboard,
  ...engine,
  ...images,
  ...networks,
  ...page,
  ...programs,
  ...registry,
  ...storage,
  ...system,
})

export const translators = { sentences, progress: sentenceTranslator(progress) }
