import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { globSync } from 'tinyglobby'
import { describe, expect, it } from 'vitest'
import { type Catalogue, sentenceTranslator } from './sentence-matcher.ts'
import { sentencesOfTypeScript } from './source-sentences.fixture.ts'
import { sentencesOfC } from './source-sentences-c.fixture.ts'

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const folder = fileURLToPath(new URL('../../messages/sentences/zh-CN', import.meta.url))
const areas = readdirSync(folder)
  .filter((file) => file !== 'progress.json')
  .map((file) => ({ file, catalogue: JSON.parse(readFileSync(join(folder, file), 'utf8')) as Catalogue }))
/** What the kernel, Node.js, browsers and zod say: not from this source, so only looked over for form. */
const byOthers = 'system.json'

const tests = ['**/*.test.ts', '**/*.itest.ts', '**/*.fixture.ts']
/** Only docker's clients hear the Engine API; only who starts a program hears what is wrong with its settings or its data's place. */
const heardElsewhere = [
  'agent/src/engine-api/**',
  'agent/src/{config,main}.ts',
  'agent/src/api/{join,reload,local-invitation}.ts',
  '**/server/{settings,start,page-server}.ts',
  '**/server/data/**',
  '**/server/identity/recover.ts',
  '**/server/testing/**',
]
/** The command lines of the native programs, which the agent alone writes, and what needs no agent (docker, podman with our runtime). */
const ofCommandLines = [
  'native/lib/json*.c',
  'native/runtime/cmd/**',
  'native/runtime/{cli,self,main,intel_rdt,stored_hooks,notify}.c',
  'native/unpack/{options,main}.c',
  'native/monitor/{main,document}.c',
]

const said = [
  ...sentencesOfTypeScript(
    root,
    ['agent/src/**/*.ts', 'agent/contract/src/*.ts', 'apps/dashboard/src/{server,features,wire,ui}/**/*.{ts,tsx}'],
    [...tests, ...heardElsewhere, '**/generated/**', '**/ui/dock.tsx'],
  ),
  ...sentencesOfC(root, ['native/{lib,monitor,runtime,unpack}/**/*.c'], ofCommandLines),
]

const placeholders = (text: string) => [...new Set(text.match(/\{\d+\}/g) ?? [])].sort()

describe('the sentences of agents, programs, server and pages in Chinese', () => {
  it('has a translation for each (put it into messages/sentences/zh-CN)', () => {
    const known = new Set(areas.flatMap(({ catalogue }) => Object.keys(catalogue)))
    expect(said.filter(({ template }) => !known.has(template)).map(({ template, where }) => `${where}: ${template}`)).toEqual([])
  })

  it('has none that nobody says any more', () => {
    const alive = new Set(said.map(({ template }) => template))
    const stale = areas.flatMap(({ file, catalogue }) =>
      file === byOthers ? [] : Object.keys(catalogue).filter((template) => !alive.has(template)),
    )
    expect(stale).toEqual([])
  })

  it('has each in one area, in use, with the same placeholders', () => {
    const all = areas.flatMap(({ file, catalogue }) => Object.entries(catalogue).map(([template, text]) => ({ file, template, text })))
    const english = all.map(({ template }) => template)
    expect(english.filter((template, at) => english.indexOf(template) !== at)).toEqual([])
    // What others say may be said shorter: the name of a system call tells nobody anything.
    const wrong = all.filter(({ file, template, text }) =>
      file === byOthers
        ? !placeholders(text).every((one) => template.includes(one))
        : `${placeholders(text)}` !== `${placeholders(template)}`,
    )
    expect(wrong).toEqual([])
    const script = readFileSync(fileURLToPath(new URL('./chinese-sentences.ts', import.meta.url)), 'utf8')
    expect(areas.filter(({ file }) => !script.includes(`/${file}'`)).map(({ file }) => file)).toEqual([])
  })
})

it('knows the words of progress, and no word that is not one', () => {
  const progress = JSON.parse(readFileSync(join(folder, 'progress.json'), 'utf8')) as Catalogue
  const source = globSync(['agent/src/{images,registry,build}/*.ts', 'agent/src/api/recreate.ts'], { cwd: root, ignore: tests })
    .map((file) => readFileSync(join(root, file), 'utf8'))
    .join('\n')
  const spoken = (template: string) => template.split(/\{\d+\}/).every((literal) => source.includes(literal.trim()))
  expect(Object.keys(progress).filter((template) => !spoken(template))).toEqual([])
  const states = [...source.matchAll(/status: (['`])(.+?)\1|'([A-Z][a-z]+(?: [A-Za-z]+){0,2})'/g)].map(
    ([, , status, word]) => status ?? word ?? '',
  )
  expect(
    new Set(
      states.filter(
        (word) =>
          /^(Pull|Push|Download|Extract|Verify|Wait|Prepar|Already|Layer|Load|Import|Stopp|Creat|Start|Undo)/.test(word) &&
          !word.includes('$'),
      ),
    ),
  ).toEqual(new Set(Object.keys(progress).filter((template) => !/[{[]/.test(template))))
})

describe('what was said', () => {
  const translate = sentenceTranslator(Object.assign({}, ...areas.map(({ catalogue }) => catalogue)))
  const text = (line: string) =>
    translate(line)
      .map((one) => one.text)
      .join('\n')

  it.each([
    ['No such container: web', '没有此容器：web'],
    [
      'Conflict. The container name "/web" is already in use by container "0a1b". You have to remove (or rename) that container to be able to reuse that name.',
      '容器名称“/web”已被容器“0a1b”使用。请先删除或重命名该容器，才能使用此名称。',
    ],
    [
      'host "paris" is away: nothing listens at 10.0.0.7:7443; is the agent running there?',
      '主机“paris”离线：10.0.0.7:7443 处没有程序监听；Agent 是否在那里运行？',
    ],
    ['exec: "/bin/none": No such file or directory', '执行“/bin/none”：没有此文件或目录'],
    ['web: Container is not running; begin with your password', 'web: Container is not running; begin with your password'],
    ['web: the host is away', 'web：主机离线'],
    [
      'name: Too small: expected string to have >=1 characters; options.image: Invalid input',
      'name：过短：至少 1 个字符；options.image：输入无效',
    ],
    ["cannot fetch /x: EACCES: permission denied, open '/x'", '无法获取 /x：EACCES：/x：权限不足'],
    ['one: the host is away\ntwo: the host is away', 'one：主机离线\ntwo：主机离线'],
  ])('%s', (english, chinese) => expect(text(english)).toBe(chinese))

  it('is never changed by what was filled in', () => {
    expect(text('No such container: {0} $& <b>{1}</b>')).toBe('没有此容器：{0} $& <b>{1}</b>')
    expect(text('No such image: the host is away')).toBe('没有此镜像：主机离线')
    expect(text('constructor')).toBe('constructor')
    expect(text('__proto__: the host is away')).toBe('__proto__：主机离线')
  })

  it('stays as it came where it is not known, and says so', () => {
    expect(translate('a new sentence\nthe host is away\n此处')).toEqual([
      { text: 'a new sentence', foreign: true },
      { text: '主机离线', foreign: false },
      { text: '此处', foreign: false },
    ])
  })

  it('may be anything', () => {
    for (const hostile of [
      '',
      '\n'.repeat(5000),
      'a: '.repeat(1300),
      'a; '.repeat(1300),
      '{0}'.repeat(900),
      '" is a "'.repeat(400),
      'x'.repeat(100_000),
    ])
      expect(text(hostile)).toBe(hostile)
  })
})
