import { createHash, generateKeyPairSync, randomBytes, randomUUID, sign, webcrypto, X509Certificate } from 'node:crypto'
import { hostname as machineName, networkInterfaces } from 'node:os'
import type { Claim } from '@berth/contract/claim'
import type { Data } from '../data/database.ts'
import { ServerError } from '../errors.ts'

/** Certificate and private key, PEM. */
export interface KeyPair {
  certificate: string
  key: string
}

/** A certificate made for an agent. */
export interface AgentCertificate {
  certificate: string
  serial: string
  end: Date
  /** SHA-256 of the SubjectPublicKeyInfo, hex. */
  keyFingerprint: string
}

/**
 * The dashboard's own certificate authority (ECDSA P-256) and its identities. It certifies agents (serverAuth, `DNS:<host id>.berth`), the dashboard as a client
 * of agents (clientAuth) and the dashboard's own HTTPS. Which of the three a certificate is for is in its extended key usage, so none can stand in for another.
 */
export interface Authority {
  /** PEM, for agents to pin. */
  certificate: string
  /** `sha256:` + hex over the certificate's DER: what `--fingerprint` says. */
  fingerprint: string
  /** What the links present to agents. Renewed in place when less than a third of its life is left. */
  client(): KeyPair
  /** What the HTTPS port presents. */
  https(): KeyPair
  /** Ed25519 public key (SPKI, PEM) of claims. */
  claimKey: string
  signClaim(claim: Claim): string
  /** @throws ServerError `invalid_argument` when the request is not one, is not signed by its key, or is of another kind than ECDSA P-256 */
  certifyAgent(csrPem: string, hostId: string): Promise<AgentCertificate>
  /** Makes new own certificates when they are due. Called at start and daily. @returns what was renewed */
  renewOwn(): Promise<string[]>
}

const day = 86_400_000
const lives = { authority: 3650 * day, agent: 90 * day, own: 365 * day }
const clockSkew = 3_600_000
const keyAlgorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const
const signing = { name: 'ECDSA', hash: 'SHA-256' } as const
const usage = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' }

/** X.509 writing costs some 20 MB of memory: it is loaded when something is certified, which is rare. */
async function x509(): Promise<typeof import('@peculiar/x509')> {
  await import('reflect-metadata')
  const module = await import('@peculiar/x509')
  module.cryptoProvider.set(webcrypto as unknown as Crypto)
  return module
}

/** True when a third of the life or less is left, or the text is no certificate. */
export function isDue(certificate: string, now = Date.now()): boolean {
  const { validFromDate, validToDate } = datesOf(certificate)
  return validToDate.getTime() - now < (validToDate.getTime() - validFromDate.getTime()) / 3
}

function datesOf(certificate: string): { validFromDate: Date; validToDate: Date } {
  const parsed = new X509Certificate(certificate)
  return { validFromDate: new Date(parsed.validFrom), validToDate: new Date(parsed.validTo) }
}

/** SHA-256 over the SubjectPublicKeyInfo of a certificate, hex. */
export function keyFingerprintOf(certificate: X509Certificate): string {
  return createHash('sha256')
    .update(certificate.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')
}

/** Reads the authority from the data, making it on the first start. */
export async function openAuthority(data: Data): Promise<Authority> {
  const secrets = await secretsOf(data)
  let root = secrets.get('authority')
  if (!root) {
    root = await makeRoot()
    await secrets.put('authority', root)
  }
  let claimPair = secrets.get('claim-key')
  if (!claimPair) {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    claimPair = {
      certificate: publicKey.export({ type: 'spki', format: 'pem' }) as string,
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    }
    await secrets.put('claim-key', claimPair)
  }
  const issuer = root
  const claims = claimPair
  const own: Record<'client' | 'https', KeyPair | undefined> = { client: secrets.get('link-client'), https: secrets.get('https') }
  const held = (which: 'client' | 'https'): KeyPair => {
    const pair = own[which]
    if (!pair) throw new ServerError('internal', `the dashboard's ${which} certificate has not been made`)
    return pair
  }

  const authority: Authority = {
    certificate: issuer.certificate,
    fingerprint: `sha256:${createHash('sha256').update(new X509Certificate(issuer.certificate).raw).digest('hex')}`,
    client: () => held('client'),
    https: () => held('https'),
    claimKey: claims.certificate,
    signClaim: (claim) => {
      const body = Buffer.from(JSON.stringify(claim))
      return `${body.toString('base64url')}.${sign(null, body, claims.key).toString('base64url')}`
    },
    certifyAgent: (csr, hostId) => certifyAgent(issuer, csr, hostId),
    renewOwn: async () => {
      const renewed: string[] = []
      if (!own.client || isDue(own.client.certificate)) {
        own.client = await makeOwn(issuer, 'berth-dashboard', usage.client, [])
        await secrets.put('link-client', own.client)
        renewed.push('client')
      }
      const names = ownNames()
      if (!own.https || isDue(own.https.certificate) || !covers(own.https.certificate, names)) {
        own.https = await makeOwn(issuer, 'Berth dashboard', usage.server, names)
        await secrets.put('https', own.https)
        renewed.push('https')
      }
      return renewed
    },
  }
  await authority.renewOwn()
  return authority
}

async function secretsOf({ database, seal }: Data) {
  const rows = new Map((await database.secret.findMany()).map((row) => [row.name, row.sealed]))
  return {
    get: (name: string): KeyPair | undefined => {
      const sealed = rows.get(name)
      return sealed === undefined ? undefined : (JSON.parse(seal.open(sealed, name)) as KeyPair)
    },
    put: async (name: string, pair: KeyPair): Promise<void> => {
      const sealed = seal.seal(JSON.stringify(pair), name)
      await database.secret.upsert({ where: { name }, create: { name, sealed }, update: { sealed, updatedAt: new Date() } })
    },
  }
}

async function newKeys(): Promise<CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey(keyAlgorithm, true, ['sign', 'verify'])) as CryptoKeyPair
}

async function privatePem(key: CryptoKey): Promise<string> {
  const bytes = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key as webcrypto.CryptoKey))
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`
}

function serialNumber(): string {
  const bytes = randomBytes(16)
  // Positive and without leading zeros, as RFC 5280 wants it.
  bytes[0] = ((bytes[0] as number) & 0x3f) | 0x40
  return bytes.toString('hex')
}

async function makeRoot(): Promise<KeyPair> {
  const { X509CertificateGenerator, BasicConstraintsExtension, KeyUsagesExtension, KeyUsageFlags } = await x509()
  const keys = await newKeys()
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: `CN=Berth authority ${randomUUID().slice(0, 8)}`,
    notBefore: new Date(Date.now() - clockSkew),
    notAfter: new Date(Date.now() + lives.authority),
    keys,
    signingAlgorithm: signing,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  })
  return { certificate: certificate.toString('pem'), key: await privatePem(keys.privateKey) }
}

async function importIssuer(root: KeyPair): Promise<{ subject: string; key: CryptoKey }> {
  const body = Buffer.from(root.key.replace(/-----[^-]+-----|\s/g, ''), 'base64')
  const key = (await webcrypto.subtle.importKey('pkcs8', body, keyAlgorithm, false, ['sign'])) as CryptoKey
  const { X509Certificate: Certificate } = await x509()
  return { subject: new Certificate(root.certificate).subject, key }
}

async function issue(
  root: KeyPair,
  subject: string,
  publicKey: CryptoKey,
  purpose: string,
  names: readonly Name[],
  life: number,
): Promise<string> {
  const library = await x509()
  const { subject: issuer, key } = await importIssuer(root)
  const extensions = [
    new library.BasicConstraintsExtension(false, undefined, true),
    new library.KeyUsagesExtension(library.KeyUsageFlags.digitalSignature, true),
    new library.ExtendedKeyUsageExtension([purpose], true),
    ...(names.length > 0 ? [new library.SubjectAlternativeNameExtension(names.map((name) => ({ ...name })))] : []),
  ]
  const certificate = await library.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject,
    issuer,
    notBefore: new Date(Date.now() - clockSkew),
    notAfter: new Date(Date.now() + life),
    publicKey,
    signingKey: key,
    signingAlgorithm: signing,
    extensions,
  })
  return certificate.toString('pem')
}

async function makeOwn(root: KeyPair, name: string, purpose: string, names: readonly Name[]): Promise<KeyPair> {
  const keys = await newKeys()
  return { certificate: await issue(root, `CN=${name}`, keys.publicKey, purpose, names, lives.own), key: await privatePem(keys.privateKey) }
}

async function certifyAgent(root: KeyPair, csrPem: string, hostId: string): Promise<AgentCertificate> {
  const { Pkcs10CertificateRequest } = await x509()
  let publicKey: CryptoKey
  try {
    const request = new Pkcs10CertificateRequest(csrPem)
    if (!(await request.verify())) throw new Error('its signature is not by its own key')
    publicKey = (await request.publicKey.export(keyAlgorithm, ['verify'])) as CryptoKey
  } catch (cause) {
    throw new ServerError(
      'invalid_argument',
      `the certificate request cannot be used: ${(cause as Error).message}; it must be PKCS#10 with an ECDSA P-256 key`,
      { cause },
    )
  }
  // Nothing of the request but its key gets into the certificate.
  const names: Name[] = [{ type: 'dns', value: `${hostId}.berth` }]
  const certificate = await issue(root, `CN=${hostId}`, publicKey, usage.server, names, lives.agent)
  const parsed = new X509Certificate(certificate)
  return { certificate, serial: parsed.serialNumber.toLowerCase(), end: new Date(parsed.validTo), keyFingerprint: keyFingerprintOf(parsed) }
}

interface Name {
  type: 'dns' | 'ip'
  value: string
}

/** Names by which this machine may be reached over HTTPS. */
function ownNames(): Name[] {
  const addresses = Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).filter((one) => !one.address.includes('%') && !one.address.startsWith('fe80')).map((one) => one.address),
  )
  const ips = [...new Set(['127.0.0.1', '::1', ...addresses])].slice(0, 50)
  const dns = [...new Set(['localhost', machineName()])].filter((name) => /^[A-Za-z0-9.-]{1,253}$/.test(name))
  return [...dns.map((value): Name => ({ type: 'dns', value })), ...ips.map((value): Name => ({ type: 'ip', value }))]
}

function covers(certificate: string, names: readonly Name[]): boolean {
  const parsed = new X509Certificate(certificate)
  return names.every((name) => (name.type === 'dns' ? parsed.checkHost(name.value) : parsed.checkIP(name.value)) !== undefined)
}
