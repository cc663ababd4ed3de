// What x509's container of parts needs, before it is loaded.
import 'reflect-metadata'
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, webcrypto, X509Certificate } from 'node:crypto'
import { cryptoProvider, Pkcs10CertificateRequestGenerator } from '@peculiar/x509'
import { EngineError } from '../errors.ts'

cryptoProvider.set(webcrypto as unknown as Parameters<typeof cryptoProvider.set>[0])
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

/** A new ECDSA P-256 key as PKCS#8 PEM. */
export function newKey(): string {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
}

/** PKCS#10 in PEM for that key. @param commonName goes into the subject; the authority decides what it certifies */
export async function certificateRequest(keyPem: string, commonName: string): Promise<string> {
  const key = createPrivateKey(keyPem)
  const [privateKey, publicKey] = await Promise.all([
    webcrypto.subtle.importKey('pkcs8', der(key, 'pkcs8'), algorithm, true, ['sign']),
    webcrypto.subtle.importKey('spki', der(createPublicKey(keyPem), 'spki'), algorithm, true, ['verify']),
  ])
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [commonName] }],
    keys: { privateKey, publicKey },
    signingAlgorithm: algorithm,
  })
  return request.toString('pem')
}

function der(key: KeyObject, type: 'pkcs8' | 'spki'): Buffer {
  return key.export({ type: type as 'pkcs8', format: 'der' }) as Buffer
}

/** @throws permission_denied unless the certificate is signed by the authority, for our own key, and valid now */
export function requireMatchingCertificate(certificatePem: string, authorityPem: string, keyPem: string): void {
  const certificate = new X509Certificate(certificatePem)
  const authority = new X509Certificate(authorityPem)
  if (!certificate.checkPrivateKey(createPrivateKey(keyPem)))
    throw new EngineError('permission_denied', "the certificate that came back is not for this host's key")
  if (!certificate.verify(authority.publicKey))
    throw new EngineError('permission_denied', "the certificate that came back is not signed by the dashboard's authority")
  const now = Date.now()
  if (now < Date.parse(certificate.validFrom) - 60_000 || now > Date.parse(certificate.validTo))
    throw new EngineError(
      'permission_denied',
      `the certificate that came back is valid from ${certificate.validFrom} to ${certificate.validTo}; is this host's clock right?`,
    )
}
