import { randomBytes, webcrypto } from 'node:crypto'
import type { Data } from '../data/database.ts'
import type { KeyPair } from './authority.ts'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const
const usages = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const

/** A certificate by the authority of this very dashboard that the dashboard itself would never issue, for tests: of any time. @param publicKeySpki DER; absent: a new key */
export async function issueOutOfTime(
  { database, seal }: Pick<Data, 'database' | 'seal'>,
  wanted: { usage: keyof typeof usages; name: string; from: Date; to: Date; publicKeySpki?: Buffer },
): Promise<KeyPair> {
  await import('reflect-metadata')
  const library = await import('@peculiar/x509')
  library.cryptoProvider.set(webcrypto as unknown as Crypto)
  const { sealed } = await database.secret.findUniqueOrThrow({ where: { name: 'authority' } })
  const root = JSON.parse(seal.open(sealed, 'authority')) as KeyPair
  const rootKey = Buffer.from(root.key.replace(/-----[^-]+-----|\s/g, ''), 'base64')
  const fresh = (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as CryptoKeyPair
  const publicKey = wanted.publicKeySpki
    ? ((await webcrypto.subtle.importKey('spki', wanted.publicKeySpki, algorithm, true, ['verify'])) as CryptoKey)
    : fresh.publicKey
  const certificate = await library.X509CertificateGenerator.create({
    serialNumber: `40${randomBytes(8).toString('hex')}`,
    subject: `CN=${wanted.name}`,
    issuer: new library.X509Certificate(root.certificate).subject,
    notBefore: wanted.from,
    notAfter: wanted.to,
    publicKey,
    signingKey: (await webcrypto.subtle.importKey('pkcs8', rootKey, algorithm, false, ['sign'])) as CryptoKey,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    extensions: [
      new library.ExtendedKeyUsageExtension([usages[wanted.usage]], true),
      new library.SubjectAlternativeNameExtension([{ type: 'dns', value: wanted.name }]),
    ],
  })
  const body = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', fresh.privateKey as webcrypto.CryptoKey)).toString('base64')
  return { certificate: certificate.toString('pem'), key: `-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----\n` }
}
