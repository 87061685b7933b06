/* Owns which of libcrypto's headers Swift sees. Nothing else belongs here. */
#ifndef LILIUM_CLIBCRYPTO_H
#define LILIUM_CLIBCRYPTO_H
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/sha.h>
#endif
