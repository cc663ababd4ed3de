import { webcrypto } from 'node:crypto'

/** A PKCS#10 request as an agent sends it, for tests. @returns PEM of the request and of its key, and the public key in DER */
export async function makeRequest(commonName: string): Promise<{ csr: string; key: string; publicKeySpki: Buffer }> {
  await import('reflect-metadata')
  const { Pkcs10CertificateRequestGenerator, cryptoProvider } = await import('@peculiar/x509')
  cryptoProvider.set(webcrypto as unknown as Crypto)
  const keys = (await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])) as CryptoKeyPair
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: `CN=${commonName}`,
    keys,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
  })
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey as webcrypto.CryptoKey)).toString('base64')
  return {
    csr: request.toString('pem'),
    key: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`,
    publicKeySpki: Buffer.from(await webcrypto.subtle.exportKey('spki', keys.publicKey as webcrypto.CryptoKey)),
  }
}
