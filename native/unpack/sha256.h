/*
 * SHA-256 by libcrypto's assembly (SHA-NI where the processor has it).
 *
 * The low-level calls are used on purpose: the EVP layer would load providers and read openssl.cnf, which may
 * name shared objects to load, and costs more than hashing a small layer.
 */
#ifndef BERTH_UNPACK_SHA256_H
#define BERTH_UNPACK_SHA256_H

#include <stddef.h>

#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#define DIGEST_TEXT_SIZE (7 + 64 + 1)

/* Ends the hash and writes "sha256:" and 64 hexadecimal digits. */
void sha256_text(SHA256_CTX *context, char text[DIGEST_TEXT_SIZE]);

#endif
