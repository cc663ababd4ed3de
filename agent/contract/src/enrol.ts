import * as z from 'zod'

/**
 * How a host joins a dashboard: `POST <dashboard URL>/api/enrol` with an EnrolRequest answers an EnrolAnswer (200) or an EnrolRefusal.
 *
 * The agent knows two things from the command a person copied: the one-time `token`, and the `fingerprint` of the dashboard's authority. It believes an answer only if the
 * answer's `authority` has that fingerprint; so the exchange may travel over plain HTTP, or over TLS with any certificate, without trusting the way. What the way could
 * steal is the token: the dashboard therefore binds it to the request's first use, and the answer names the key it was made for (the certificate's own public key).
 * Over HTTPS the agent skips the check of the server's certificate for the same reason.
 *
 * Renewal is the dashboard's: it holds a link with a certificate the agent pinned and calls `POST /identity/csr` (answers a new CSR as PEM for the agent's existing key)
 * and `PUT /identity/certificate` (EnrolAnswer without hostId changes) on the agent's port. See renewalRoutes.
 */
export const enrolRequest = z.object({
  /** The single-use token, as shown once. */
  token: z.string().min(16).max(256),
  /** PKCS#10 in PEM, signed with the agent's new key (ECDSA P-256). Its subject's CN is the host name. */
  csr: z.string().max(8192),
  hostname: z.string().min(1).max(255),
  /** TCP port on which the agent serves mutual TLS. */
  port: z.number().int().min(1).max(65535),
  /** Where the dashboard shall dial, if not the request's own source address. */
  address: z.string().max(255).optional(),
  /** The agent's stable id, so that a host that joins again replaces itself. */
  engineId: z.string().min(1).max(128),
  agentVersion: z.string().max(64),
})
export type EnrolRequest = z.infer<typeof enrolRequest>

export const enrolAnswer = z.object({
  /** Certificate of the agent (PEM): serverAuth, subjectAltName `DNS:<hostId>.berth`; the dashboard dials with that servername. */
  certificate: z.string().max(16384),
  /** The authority's certificate (PEM). SHA-256 over its DER is what `--fingerprint` says. The agent trusts client certificates signed by it that carry clientAuth. */
  authority: z.string().max(16384),
  /** Ed25519 public key (SPKI, PEM) with which the dashboard signs claims. */
  claimKey: z.string().max(4096),
  /** The host's id at the dashboard: what `claim.host` must be. */
  hostId: z.string().min(1).max(128),
})
export type EnrolAnswer = z.infer<typeof enrolAnswer>

/** Every answer that is not 200: a sentence for the person at the host's terminal. */
export const enrolRefusal = z.object({ message: z.string() })

/** `sha256:` + lower-case hex of SHA-256 over the authority's certificate in DER. Case, colons and the prefix are optional when a person types it. */
export const fingerprintPattern = /^(sha256:)?([0-9a-f]{2}:?){32}$/i

/** On the agent's own port, under mutual TLS and an admin's claim (`user: "dashboard"`). */
export const renewalRoutes = { csr: 'POST /identity/csr', certificate: 'PUT /identity/certificate' } as const
