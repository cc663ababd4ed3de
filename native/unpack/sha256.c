#include "sha256.h"

#include <stdio.h>
#include <string.h>

void sha256_text(SHA256_CTX *context, char text[DIGEST_TEXT_SIZE]) {
    unsigned char bytes[SHA256_DIGEST_LENGTH];
    SHA256_Final(bytes, context);
    memcpy(text, "sha256:", 8);
    for (int i = 0; i < SHA256_DIGEST_LENGTH; i++)
        snprintf(text + 7 + 2 * i, 3, "%02x", bytes[i]);
}
